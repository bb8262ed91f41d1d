import { AmiActionError, type AmiActions } from '../../../asterisk/ami/ami-actions.ts';
import type { Sender } from '../../../alerts/outbox.ts';
import { sendersBy } from '../../../alerts/ways.ts';
import type { Settings } from '../../../config/settings.ts';
import { isLoopback } from '../../../config/value-types.ts';
import type { AlertMessage, AlertWay } from '../../../model/alert.ts';
import type { Clock } from '../../../model/ports.ts';

export interface SenderSources {
  readonly settings: Settings['alerts'];
  readonly actions: Pick<AmiActions, 'send'>;
  readonly clock: Clock;
  readonly onDenied: (sentence: string) => void;
}

/** Bound on an AMI header; Asterisk cuts longer lines. */
const LONGEST_HEADER = 400;

/** The configured ways. A digest goes by mail only. */
export function alertSenders({ settings, actions, clock, onDenied }: SenderSources): Partial<Record<AlertWay, Sender>> {
  return {
    ...sendersBy(settings, isLoopback, () => clock.nowMs()),
    ami: async (message) => {
      try {
        await actions.send('UserEvent', userEvent(message));
      } catch (error) {
        // The AMI user lacks the right. It may have it with the next connection.
        if (!(error instanceof AmiActionError && error.problem === 'denied')) throw error;
        onDenied('Asterisk refused the event MesAlert; add "user" to write of our user in manager.conf');
      }
    },
  };
}

function userEvent({ id, subject, json }: AlertMessage): Record<string, string> {
  const { alerts } = JSON.parse(json) as {
    alerts: readonly { status: string; rule: string; endpoint: string | null; since: string }[];
  };
  const [first] = alerts;
  const oneLine = (text: string): string => text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, LONGEST_HEADER);
  return {
    UserEvent: 'MesAlert',
    MesId: id,
    MesAlerts: String(alerts.length),
    MesStatus: alerts.some(({ status }) => status === 'active') ? 'active' : 'over',
    MesRule: oneLine(first?.rule ?? ''),
    MesEndpoint: oneLine(first?.endpoint ?? ''),
    MesSince: first?.since ?? '',
    MesText: oneLine(subject),
  };
}
