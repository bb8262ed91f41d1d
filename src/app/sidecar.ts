import { AmiActions } from '../asterisk/ami/ami-actions.ts';
import { AmiEventSession } from '../asterisk/ami/ami-event-session.ts';
import { Ari } from '../asterisk/ari.ts';
import { FastAgiServer } from '../asterisk/fast-agi.ts';
import type { LinkState } from '../asterisk/link-state.ts';
import { ReadPace } from '../asterisk/ami/paced-reads.ts';
import { WriteBack } from '../asterisk/write-back.ts';
import type { LiveCaptureState } from '../capture/live-capture.ts';
import { Switchboard } from '../calls/switchboard.ts';
import { VideoFilter } from '../calls/media/video-filter.ts';
import type { Settings } from '../config/settings.ts';
import { hostAndPortText } from '../config/value-types.ts';
import { type History, openHistory } from '../history/history.ts';
import type { PbxEvent, RtpCounters } from '../model/event.ts';
import type { ChannelValues, HealthReport } from '../model/ports.ts';
import { CallCapture } from './call-capture.ts';
import { Companions } from './companions/companions.ts';
import { eventHider } from './numbers/event-hider.ts';
import { ChannelQuestions } from './channel-questions.ts';
import { currentHistory } from './current-history.ts';
import { HistoryRecorder } from './history-recorder.ts';
import { healthReport } from './state/health-report.ts';
import { GivenUpLog } from './given-up-log.ts';
import { HistoryLog } from './state/history-log.ts';
import { HttpService } from './http-service.ts';
import { LinkLog } from './state/link-log.ts';
import { coded, type Logger } from './state/log.ts';
import { scoringRules } from './scoring-rules.ts';
import { readableStates } from './state/readable-states.ts';
import { StallDetector } from './state/stall-detector.ts';
import { SteadyClock } from './state/steady-clock.ts';
import { Ticker } from './state/ticker.ts';

/** How often the live feed is told what has changed, and the history's state is looked at. */
const SHOW_EVERY_TICKS = 3;
/** The hangup handler waits for us: this long for the last events to come in, of the 50 ms that it has in all. */
const LAST_EVENTS_TIMEOUT_MS = 20;

/** All rooms, wired together: one running sidecar. */
export class Sidecar {
  readonly #settings: Settings;
  readonly #log: Logger;
  readonly #clock: SteadyClock;
  readonly #history: History;
  readonly #historyRecorder: HistoryRecorder;
  readonly #historyLog: HistoryLog;
  readonly #givenUpLog: GivenUpLog;
  readonly #links: LinkLog;
  readonly #switchboard: Switchboard;
  readonly #actions: AmiActions;
  readonly #events: AmiEventSession;
  readonly #ari: Ari | null;
  readonly #writeBack: WriteBack;
  readonly #questions: ChannelQuestions;
  readonly #video = new VideoFilter((uniqueid) => this.#questions.askVideo(uniqueid));
  /** Null when packets are not captured. */
  readonly #capture: CallCapture | null;
  readonly #agi: FastAgiServer;
  readonly #http: HttpService;
  readonly #companions: Companions;
  readonly #failure = Promise.withResolvers<string>();
  readonly #ticker = new Ticker(() => this.#tick());
  #ticks = 0;
  /** So often the history's file was found gone; a new one has nothing of the calls that are up. */
  #reopened = 0;
  readonly #stalls = new StallDetector(performance.now());

  /** Resolves with one sentence when a person has to change something before the sidecar can work. */
  readonly failed: Promise<string> = this.#failure.promise;

  /** Use `startSidecar`. */
  constructor(settings: Settings, log: Logger, history: History, clock: SteadyClock) {
    this.#clock = clock;
    this.#settings = settings;
    this.#log = log;
    this.#history = history;
    this.#historyLog = new HistoryLog(log);
    this.#givenUpLog = new GivenUpLog(log);
    this.#links = new LinkLog(log);
    const connection = settings.ami;
    const onDebug = (sentence: string): void => log.debug(sentence);
    const random = (): number => Math.random();
    const nowMs = (): number => clock.nowMs();

    // Answers to actions are in no hurry: they are read now and then when events are. What is due is done then, too.
    const pace = new ReadPace(() => this.#ticker.remind());
    this.#actions = new AmiActions({
      connection,
      random,
      pace,
      onState: (state) => this.#noteAmi('AMI actions', state),
    });
    this.#writeBack = new WriteBack({
      setter: this.#actions,
      ...settings.writeback,
      onDebug,
      onWritten: (afterMs) => this.#http.metrics.writtenBack(afterMs),
    });
    this.#switchboard = new Switchboard(scoringRules(settings), {
      writer: settings.writeback.variables || settings.writeback.cdr ? this.#writeBack : null,
      askCodecs: (uniqueid) => this.#questions.askCodecs(uniqueid),
      storeInterval: (interval) => history.record({ kind: 'interval', interval }),
    });
    this.#historyRecorder = new HistoryRecorder({
      source: this.#switchboard,
      history,
      nowMs,
      onChannel: (channel) => {
        if (channel.endedAtMs === null) return;
        this.#http.metrics.channelEnded(channel);
        this.#companions.channelEnded(channel);
      },
    });
    const hideNumbers = eventHider(settings.history);
    const onEvent = (event: PbxEvent): void => this.#take(hideNumbers(event));
    this.#events = new AmiEventSession({
      connection,
      random,
      nowMs,
      onDebug,
      readsUserEvents: settings.ratings.enabled,
      onRead: () => this.#noticeStall(),
      onEvent,
      pace,
      onState: (state) => this.#noteAmi('AMI events', state),
    });
    this.#ari =
      settings.ari === null
        ? null
        : new Ari({
            connection: settings.ari,
            random,
            onState: (state) => this.#links.note('ARI', state),
            onVariableSet: (change) => this.#questions.takeVariable(change),
          });
    this.#questions = new ChannelQuestions({
      actions: this.#actions,
      events: this.#events,
      ari: this.#ari,
      nowMs,
      onAnswer: (event) => {
        this.#noticeStall();
        onEvent(event);
      },
      onVideo: (...answer) => this.#video.noteVideo(...answer),
    });
    this.#capture = settings.capture.enabled
      ? new CallCapture({
          settings: settings.capture,
          onCaptured: (event) => this.#switchboard.handle(event),
          onXrReport: (event) => {
            this.#switchboard.handle(event);
            this.#companions.take(event);
          },
          askAddresses: (uniqueid) => this.#questions.askAddresses(uniqueid),
          askCodecs: (uniqueid) => this.#questions.askCodecs(uniqueid),
          onState: (state) => this.#noteCapture(state),
          nowMs,
          followClock: () => this.#followClock(),
          random,
        })
      : null;
    const calls = currentHistory(history, this.#switchboard.current);
    this.#companions = new Companions({
      settings,
      log,
      clock,
      history,
      calls,
      live: this.#switchboard,
      tellLive: (news) => this.#http.tell(news),
      actions: this.#actions,
      asteriskVersion: () => this.#events.asteriskVersion,
    });
    this.#agi = new FastAgiServer({
      ...settings.agi.bind,
      ...settings.writeback,
      peers: settings.agi.peers,
      secret: settings.agi.secret,
      scripts: this.#companions.agiScripts,
      onWrongSecret: () =>
        log.warn(
          coded('MES_ERR_AGI_SECRET'),
          'FastAGI: a hangup handler asked without the secret of [agi]; run "asterisk-mes setup --write", and then "dialplan reload" in Asterisk',
        ),
      onStranger: (address) =>
        log.warn(
          coded('MES_ERR_AGI_PEER'),
          `FastAGI: refused a connection from ${address}; if that is your Asterisk, add it to peers in [agi]`,
        ),
      onHangup: (uniqueid, counters) => this.#lastWord(uniqueid, counters),
    });
    this.#http = new HttpService({
      settings,
      log,
      clock,
      history: calls,
      live: this.#switchboard,
      health: () => this.#health(),
      features: history.features,
      companions: this.#companions,
    });
  }

  /** Goes on from the history, opens the ports, and starts to connect. Rejects with an Error of one sentence. */
  async start(): Promise<void> {
    this.#switchboard.restore(await readableStates(this.#history));
    await this.#agi.listen();
    await this.#companions.start();
    await this.#http.listen();
    this.#ticker.start();
    this.#actions.start();
    this.#events.start();
    this.#ari?.start();
    this.#capture?.start();
    this.#log.info(`asterisk-mes listens on http://${hostAndPortText(this.#settings.http.bind)}`);
  }

  /** Takes over what can change while it runs (`changed-settings.ts`). */
  change({ agi, http }: Settings): void {
    this.#agi.change(agi);
    this.#http.changeToken(http.token);
  }

  /** Stops taking events, stores what there is, and lets go of everything. */
  async stop(): Promise<void> {
    this.#ticker.stop();
    await Promise.all([
      this.#events.stop(),
      this.#actions.stop(),
      this.#ari?.stop(),
      this.#agi.close(),
      this.#http.close(),
      // Tells the calls what it captured last, before they are stored.
      this.#capture?.stop(),
    ]);
    await this.#companions.stop();
    this.#historyRecorder.close();
    this.#historyLog.look(this.#history.stats(), performance.now());
    await this.#history.close();
    this.#historyLog.close(this.#history.stats());
  }

  #take(event: PbxEvent): void {
    if (!this.#video.admits(event)) return;
    // First, so that what was captured is in what the calls make of the event.
    this.#capture?.take(event);
    this.#switchboard.handle(event);
    this.#companions.take(event);
    if (event.type === 'resync') void this.#history.endLost(() => this.#switchboard.known);
    if (event.type === 'rtcp' && event.report.reporter === 'local') this.#questions.askCounters(event.channel.uniqueid);
    if (event.type === 'hangup') this.#questions.forget(event.channel.uniqueid);
  }

  #tick(): void {
    this.#noticeStall();
    this.#followClock();
    const nowMs = this.#clock.nowMs();
    this.#capture?.tick(nowMs);
    this.#switchboard.tick(nowMs);
    if (this.#history.reopened !== this.#reopened) {
      this.#reopened = this.#history.reopened;
      this.#switchboard.storeAnew();
    }
    this.#historyRecorder.tick();
    this.#http.metrics.observeSome();
    this.#questions.tick();
    this.#companions.tick(nowMs);
    if (++this.#ticks % SHOW_EVERY_TICKS > 0) return;
    this.#http.showChanges();
    this.#givenUpLog.look(this.#switchboard.counters.channelsGivenUp, performance.now());
    this.#historyLog.look(this.#history.stats(), performance.now());
  }

  /** Before anything else is done: what was said while we stood still comes in only now, and is not late. */
  #noticeStall(): void {
    if (this.#stalls.stoodStill(performance.now())) this.#switchboard.wasDeaf(this.#clock.nowMs());
  }

  #followClock(): void {
    const stepMs = this.#clock.follow();
    if (stepMs === 0) return;
    this.#capture?.clockStepped(stepMs);
    this.#switchboard.clockStepped(stepMs);
    this.#log.warn(
      coded('MES_ERR_CLOCK_SET'),
      `the system's clock was set by ${Math.round(stepMs / 1000)} s; calls that are up were moved with it`,
    );
  }

  async #lastWord(uniqueid: string, counters: RtpCounters | undefined): Promise<ChannelValues | undefined> {
    // Nothing older may be written after it, and every report that Asterisk has sent must be in it.
    await Promise.all([this.#writeBack.seal(uniqueid), this.#events.barrier(LAST_EVENTS_TIMEOUT_MS).catch(() => {})]);
    return this.#switchboard.finalWord(uniqueid, counters ?? {}, this.#clock.nowMs());
  }

  /** Without AMI nothing works, and what ARI lacks is no reason to give up. */
  #noteAmi(link: 'AMI events' | 'AMI actions', state: LinkState): void {
    this.#links.note(link, state);
    if (link === 'AMI actions' && state.status === 'connected') this.#writeBack.flush();
    if (state.status === 'failed') this.#failure.resolve(state.problem);
  }

  /** Without packets calls are scored all the same. */
  #noteCapture(state: LiveCaptureState): void {
    if (state.status === 'capturing') this.#log.info('capture: packets are captured');
    else this.#log.warn(coded('MES_ERR_CAPTURE'), `capture: ${state.problem} Trying again`);
  }

  #health(): HealthReport {
    return healthReport({
      events: this.#links.stateOf('AMI events'),
      actions: this.#links.stateOf('AMI actions'),
      ari: this.#ari === null ? null : this.#links.stateOf('ARI'),
      history: this.#history.stats(),
      databaseBytes: this.#history.sizeBytes(),
      asteriskVersion: this.#events.asteriskVersion,
      capture: this.#capture?.health ?? { status: 'off', problem: null },
      counters: {
        ami: this.#events.counters,
        calls: this.#switchboard.counters,
        video: this.#video.counters,
        writeback: this.#writeBack.counters,
        agi: this.#agi.counters,
        live_stream: this.#http.liveStreamCounters,
        capture: this.#capture?.counters ?? null,
        ...this.#companions.counters,
      },
    });
  }
}

/** Opens the history and starts a sidecar on it. Rejects with an Error of one sentence that says what to change. */
export async function startSidecar(settings: Settings, log: Logger): Promise<Sidecar> {
  const clock = new SteadyClock();
  const history = await openHistory({ ...settings.history, clock });
  const sidecar = new Sidecar(settings, log, history, clock);
  try {
    await sidecar.start();
  } catch (error) {
    await sidecar.stop();
    throw error;
  }
  return sidecar;
}
