import type { CallAnswer, IntervalAnswer } from './answers.ts';
import type { CallParts } from './call-text.ts';
import type { RestClient } from './rest-client.ts';

/** A call with the reports of each of its channels. */
export async function loadCall(rest: RestClient, id: string): Promise<CallParts> {
  const call = await rest.get<CallAnswer>(`/v1/calls/${encodeURIComponent(id)}`);
  const lists = await Promise.all(
    call.channels.map(async ({ uniqueid }) => {
      const path = `/v1/channels/${encodeURIComponent(uniqueid)}/intervals`;
      const { intervals } = await rest.get<{ intervals: IntervalAnswer[] }>(path);
      return [uniqueid, intervals] as const;
    }),
  );
  return { call, intervals: new Map(lists) };
}
