/** One kind of failure that REST or the log reports. */
interface ErrorKind {
  /** REST's status; null: only the log reports it. */
  readonly status: number | null;
  /** What happened, in one sentence. */
  readonly sentence: string;
  /** What the reader can do about it. */
  readonly whatToDo: string;
}

/**
 * Every failure that REST's problem documents and the log's lines report, by its `code`. A code is permanent: it is never
 * given to another failure and never taken away. The sentence in the answer or line says more exactly what happened.
 */
export const ERRORS = {
  MES_ERR_PARAMETER_UNKNOWN: {
    status: 400,
    sentence: 'This address does not know a parameter of the query.',
    whatToDo: 'Take it out; the answer names those that are known.',
  },
  MES_ERR_PARAMETER_VALUE: {
    status: 400,
    sentence: 'The value of a parameter is not allowed.',
    whatToDo: 'Give a value that the answer names.',
  },
  MES_ERR_REQUEST_UNREADABLE: {
    status: 400,
    sentence: 'The request is not whole HTTP, too large or too slow. The status says which (400, 408, 413, 414, 431).',
    whatToDo: 'Check the address, the headers and the body.',
  },
  MES_ERR_BODY: {
    status: 400,
    sentence: 'The body of the request is not what this address takes.',
    whatToDo: 'Send JSON as /openapi.json describes it; the answer names the field.',
  },
  MES_ERR_TOKEN_NOT_SET: {
    status: 403,
    sentence: 'This address changes something, and no token is set.',
    whatToDo: 'Set token in [http] of mes.conf and send it.',
  },
  MES_ERR_TOKEN: {
    status: 401,
    sentence: 'The request has no token, or a wrong one.',
    whatToDo: 'Send "Authorization: Bearer" and the token of [http] in mes.conf.',
  },
  MES_ERR_HOST: {
    status: 403,
    sentence: 'Without a token, only requests to localhost are answered.',
    whatToDo: 'Ask http://127.0.0.1, or set a token in [http] of mes.conf.',
  },
  MES_ERR_ORIGIN: {
    status: 403,
    sentence: 'A page of another site asked for something.',
    whatToDo: 'Open the page of this server.',
  },
  MES_ERR_NO_SUCH_ADDRESS: {
    status: 404,
    sentence: 'There is nothing at this address.',
    whatToDo: 'See /openapi.json for the addresses.',
  },
  MES_ERR_NO_SUCH_ID: {
    status: 404,
    sentence: 'No call or channel of this id is known.',
    whatToDo: 'Check the id. A call that is older than keep_calls in [history] is gone.',
  },
  MES_ERR_METHOD: {
    status: 405,
    sentence: 'This address does not take this method.',
    whatToDo: 'Use a method that the Allow header names.',
  },
  MES_ERR_WEB_SOCKET_ONLY: {
    status: 426,
    sentence: 'This address is a web socket.',
    whatToDo: 'Open a web socket, or ask /v1/live.',
  },
  MES_ERR_TOO_MANY_REQUESTS: {
    status: 429,
    sentence: 'Too many requests came from one address.',
    whatToDo: 'Wait as long as Retry-After says, and ask less often.',
  },
  MES_ERR_SERVER: {
    status: 500,
    sentence: 'The server failed on a request.',
    whatToDo: 'The log has the reason (the same code). Please report it.',
  },
  MES_ERR_NOT_READY: {
    status: 503,
    sentence: 'The sidecar is not connected to Asterisk, or cannot store.',
    whatToDo: 'The answer says which and why. asterisk-mes doctor finds most causes.',
  },
  MES_ERR_TOO_MANY_ANSWERS: {
    status: 503,
    sentence: 'More answers are under way than the sidecar keeps in memory, because clients do not read them.',
    whatToDo: 'Wait as long as Retry-After says, ask for less at a time, and read the answers.',
  },
  MES_ERR_TOO_MANY_WATCHERS: {
    status: 503,
    sentence: 'The live feed has as many readers as it takes.',
    whatToDo: 'Close a page that is not needed.',
  },
  MES_ERR_LINK_LOST: {
    status: null,
    sentence: 'A connection to Asterisk (AMI or ARI) cannot be opened or was lost. It is tried again.',
    whatToDo: 'See the line itself; asterisk-mes doctor checks address, user and rights.',
  },
  MES_ERR_LINK_REFUSED: {
    status: null,
    sentence: 'Asterisk refused a connection for good, such as for a wrong secret.',
    whatToDo: 'Correct user and secret in mes.conf or manager.conf, and start again.',
  },
  MES_ERR_ALERT: {
    status: null,
    sentence: 'An alert cannot be sent or stored. It is tried again.',
    whatToDo: 'See the line itself; check smtp, to and webhook of [alerts] in mes.conf.',
  },
  MES_ERR_AGI_PEER: {
    status: null,
    sentence: 'Somebody who is not in peers of [agi] asked the FastAGI server.',
    whatToDo: 'If it is your Asterisk, add its address to peers.',
  },
  MES_ERR_AGI_SECRET: {
    status: null,
    sentence: 'Somebody asked the FastAGI server for final scores without the secret of [agi].',
    whatToDo: 'Run asterisk-mes setup --write and dialplan reload, so that the dialplan has the same secret.',
  },
  MES_ERR_CLOCK_SET: {
    status: null,
    sentence: "The system's clock was set. Calls that are up were moved with it.",
    whatToDo: 'Nothing, if it happens once. Let NTP slew the clock if it happens often.',
  },
  MES_ERR_CHANNELS_GIVEN_UP: {
    status: null,
    sentence: 'More channels than the sidecar keeps are up. The oldest that are silent were taken for over.',
    whatToDo: 'See core show channels in Asterisk: channels that are never hung up have to be ended there.',
  },
  MES_ERR_PHONE_REPORTS: {
    status: null,
    sentence: "Phones' own reports could not be stored; calls are scored all the same.",
    whatToDo: 'See the reason in the line; most often the disk is full or not writable.',
  },
  MES_ERR_CAPTURE: {
    status: null,
    sentence: 'Packets cannot be captured. Calls are scored from RTCP as before, and capturing is tried again.',
    whatToDo: 'See the line itself: tcpdump is missing, has no right, or the interface is down.',
  },
  MES_ERR_MEASUREMENTS: {
    status: 503,
    sentence: 'Measurements of calls cannot be written or sent. Calls are scored as before.',
    whatToDo:
      'See the line itself: the collection server cannot be reached or refuses them, or the spool cannot be written.',
  },
  MES_ERR_HISTORY_WRITE: {
    status: null,
    sentence: 'The history cannot be written. Changes wait, and scores go on to Asterisk.',
    whatToDo: 'See the line itself: free space on the disk, or end the program that locks the database.',
  },
  MES_ERR_HISTORY_DROPPED: {
    status: null,
    sentence: 'More came than the disk took, and the oldest reports were given up.',
    whatToDo: 'Use a faster disk, or find what keeps the disk busy.',
  },
  MES_ERR_HISTORY_REJECTED: {
    status: null,
    sentence: 'The database does not take some changes; they were left out.',
    whatToDo: 'Please report the line.',
  },
  MES_ERR_HISTORY_LOST: {
    status: null,
    sentence: 'Changes that still waited at the end could not be stored in time.',
    whatToDo: 'Find out why the database was locked or slow at the stop; the line says it.',
  },
  MES_ERR_RELOAD: {
    status: null,
    sentence: 'The settings were read again on a signal HUP, and are wrong; the old ones stay.',
    whatToDo: 'Correct what the line names, and send the signal again.',
  },
  MES_ERR_RESTART_NEEDED: {
    status: null,
    sentence: 'A setting was changed that counts only after a restart.',
    whatToDo: 'Restart the sidecar when it suits; calls that are up are scored on.',
  },
  MES_ERR_RATING_LOST: {
    status: null,
    sentence: 'What a person said of a call, or that somebody was asked, could not be stored.',
    whatToDo: 'See the line itself: free space on the disk, or end the program that locks the database.',
  },
  MES_ERR_QUESTIONS: {
    status: null,
    sentence:
      'The questions of questions_url cannot be fetched, or are not what they have to be. The ones before stay.',
    whatToDo: 'See the line itself: the address in [ratings], or the key that its questions are signed with.',
  },
  MES_ERR_FILE_EXPOSED: {
    status: null,
    sentence: 'A file with secrets or numbers is open to every user of the machine.',
    whatToDo: 'Run the chmod that the line names.',
  },
  MES_ERR_FLEET_GATEWAY: {
    status: null,
    sentence: "The fleet's gateway does not take the calls of this PBX.",
    whatToDo: 'The line says why. They wait in the history and are sent when it does.',
  },
  MES_ERR_FLEET_STORE: {
    status: null,
    sentence: 'ClickHouse does not take the rows of the fleet, or does not answer.',
    whatToDo: 'The line says why. The PBXs keep their rows and send them again.',
  },
  MES_ERR_FLEET_PBX_NEEDED: {
    status: 409,
    sentence: 'More than one PBX of the fleet has this id.',
    whatToDo: 'Say which with pbx; the answer names some.',
  },
  MES_ERR_FLEET_NO_ANSWER: {
    status: 503,
    sentence: 'No ClickHouse of the fleet answers.',
    whatToDo: 'Ask again in some seconds; /readyz says whether they answer.',
  },
  MES_ERR_FLEET_READ_ONLY: {
    status: 403,
    sentence: 'A fleet only shows; nothing is written at its gateway.',
    whatToDo: 'Write notes, tags and ratings at the PBX of the call. They come to the fleet within seconds.',
  },
  MES_ERR_FLEET_TOO_MUCH: {
    status: 422,
    sentence: 'This question would take ClickHouse more time or memory than one may take.',
    whatToDo:
      'Ask for a shorter time or fewer PBXs, or raise query_seconds or query_memory_mb in [store] of fleet.conf.',
  },
} as const satisfies Readonly<Record<string, ErrorKind>>;

export type ErrorCode = keyof typeof ERRORS;
/** Codes that REST answers with. */
export type ProblemCode = {
  [Code in ErrorCode]: (typeof ERRORS)[Code]['status'] extends number ? Code : never;
}[ErrorCode];
