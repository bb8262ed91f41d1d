import { FastAgiServer } from '../asterisk/fast-agi.ts';
import { LiveStream } from '../api/live-stream.ts';
import type { LiveCaptureState } from '../capture/live-capture.ts';
import { Switchboard } from '../calls/switchboard.ts';
import { VideoFilter } from '../calls/media/video-filter.ts';
import type { Settings } from '../config/settings.ts';
import { hostAndPortText } from '../config/value-types.ts';
import { type History, openHistory } from '../history/history.ts';
import type { PbxEvent, RtpCounters } from '../model/event.ts';
import type { ChannelValues, HealthReport } from '../model/ports.ts';
import { byeReport, readRtpStat } from '../wire/sip/rtp-stat.ts';
import { AsteriskLinks } from './asterisk/asterisk-links.ts';
import { AwaitedReports } from './capture/awaited-reports.ts';
import { CallCapture } from './capture/call-capture.ts';
import { Companions } from './companions/companions.ts';
import { eventHider } from './numbers/event-hider.ts';
import { ChannelQuestions } from './asterisk/channel-questions.ts';
import { sidecarId } from './asterisk/sidecar-id.ts';
import { currentHistory } from './current-history.ts';
import { HistoryRecorder } from './history-recorder.ts';
import { healthReport } from './state/health-report.ts';
import { GivenUpLog } from './state/given-up-log.ts';
import { HistoryLog } from './state/history-log.ts';
import { HttpService } from './http-service.ts';
import { coded, type Logger } from './state/log.ts';
import { scoringRules } from './settings/scoring-rules.ts';
import { withStoredEndpoints } from './settings/stored-endpoints.ts';
import { readableStates } from './state/readable-states.ts';
import { StallDetector } from './state/stall-detector.ts';
import { SteadyClock } from './state/steady-clock.ts';
import { Ticker } from './state/ticker.ts';

/** How often the live feed is sent changes, and the history's state is looked at. */
const SHOW_EVERY_TICKS = 3;
/** How long final scores wait for the last events. The hangup handler waits 50 ms in all. */
const LAST_EVENTS_TIMEOUT_MS = 20;

/**
 * All rooms, wired together: one running sidecar. The constructor makes them in the order in which data goes through them: from
 * Asterisk to the calls, and on to the history, REST and the hangup handler. Nothing needs what is made after it.
 */
export class Sidecar {
  readonly #settings: Settings;
  readonly #log: Logger;
  readonly #clock: SteadyClock;
  readonly #history: History;
  readonly #historyLog: HistoryLog;
  readonly #givenUpLog: GivenUpLog;
  readonly #ticker = new Ticker(() => this.#tick());
  readonly #stalls = new StallDetector(performance.now());
  readonly #links: AsteriskLinks;
  readonly #questions: ChannelQuestions;
  readonly #hideNumbers: (event: PbxEvent) => PbxEvent;
  readonly #video: VideoFilter;
  readonly #switchboard: Switchboard;
  /** Null when packets are not captured. */
  readonly #capture: CallCapture | null;
  readonly #awaited = new AwaitedReports({
    isCaptured: (uniqueid, sinceMs) => this.#capture?.hasReport(uniqueid, sinceMs) ?? true,
  });
  readonly #companions: Companions;
  readonly #http: HttpService;
  readonly #historyRecorder: HistoryRecorder;
  readonly #agi: FastAgiServer;
  #ticks = 0;
  /** How often the history's file was found to be gone. A new file has nothing about the calls that are up. */
  #reopened = 0;

  /** Use `startSidecar`. */
  constructor(settings: Settings, log: Logger, history: History, clock: SteadyClock) {
    this.#settings = settings;
    this.#log = log;
    this.#clock = clock;
    this.#history = history;
    this.#historyLog = new HistoryLog(log);
    this.#givenUpLog = new GivenUpLog(log);
    const nowMs = (): number => clock.nowMs();

    // The source: Asterisk's events, and answers to questions.
    const id = sidecarId(settings.history.path);
    const links = new AsteriskLinks({ settings, log, clock, id, remind: () => this.#ticker.remind() });
    const questions = new ChannelQuestions({
      actions: links.actions,
      events: links.events,
      ari: links.ari,
      nowMs,
      onAnswer: (event) => links.deliver(event),
    });

    // The filters.
    this.#hideNumbers = eventHider(settings.history);
    this.#video = new VideoFilter((uniqueid, onVideo) => questions.askVideo(uniqueid, onVideo));

    // The calls. Each report is stored at once; other changes are drained.
    const switchboard = new Switchboard(scoringRules(settings), {
      writer: links.writer,
      askCodecs: (uniqueid) => questions.askCodecs(uniqueid),
      askCounters: (uniqueid) => questions.askCounters(uniqueid, 'ari or ami'),
      storeInterval: (interval) => history.record({ kind: 'interval', interval }),
    });
    this.#capture = settings.capture.enabled
      ? new CallCapture({
          settings: settings.capture,
          onCaptured: (event) => switchboard.handle(event),
          onXrReport: (event) => links.deliver(event),
          askAddresses: (uniqueid) => questions.askAddresses(uniqueid),
          askCodecs: (uniqueid) => questions.askCodecs(uniqueid),
          onState: (state) => noteCapture(log, state),
          nowMs,
          followClock: () => this.#followClock(),
          random: () => Math.random(),
        })
      : null;

    // The sinks.
    const liveStream = new LiveStream({ live: switchboard, clock });
    const calls = currentHistory(history, switchboard.current);
    const companions = new Companions({
      settings,
      log,
      clock,
      history,
      calls,
      live: switchboard,
      tellLive: (news) => liveStream.tell(news),
      actions: links.actions,
      asteriskVersion: () => links.events.asteriskVersion,
    });
    this.#http = new HttpService({
      settings,
      log,
      clock,
      history: calls,
      live: switchboard,
      liveStream,
      health: () => this.#health(),
      features: history.features,
      companions,
    });
    const { metrics } = this.#http;
    this.#historyRecorder = new HistoryRecorder({
      source: switchboard,
      history,
      nowMs,
      onChannel: (channel) => {
        if (channel.endedAtMs === null) return;
        metrics.channelEnded(channel);
        companions.channelEnded(channel);
      },
    });
    this.#agi = new FastAgiServer({
      ...settings.agi.bind,
      ...settings.writeback,
      peers: settings.agi.peers,
      secret: settings.agi.secret,
      scripts: companions.agiScripts,
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
      onHangup: (uniqueid, counters, said) => this.#lastWord(uniqueid, counters, said),
    });

    this.#links = links;
    this.#questions = questions;
    this.#switchboard = switchboard;
    this.#companions = companions;
  }

  /** Resolves with one sentence when a person has to change something before the sidecar can work. */
  get failed(): Promise<string> {
    return this.#links.failed;
  }

  /** Goes on from the history, opens the ports and starts to connect. Rejects with an Error of one sentence. */
  async start(): Promise<void> {
    this.#switchboard.restore(await readableStates(this.#history));
    await this.#agi.listen();
    await this.#companions.start();
    await this.#http.listen();
    this.#ticker.start();
    this.#links.start({
      onRead: () => this.#noticeStall(),
      onEvent: (event) => this.#take(event),
      onVariableSet: (change) => this.#questions.takeVariable(change),
      onWritten: (afterMs) => this.#http.metrics.writtenBack(afterMs),
    });
    this.#capture?.start();
    this.#log.info(`asterisk-mes listens on http://${hostAndPortText(this.#settings.http.bind)}`);
  }

  /** Applies the settings that may change while the sidecar runs (`changed-settings.ts`). */
  change({ agi, http }: Settings): void {
    this.#agi.change(agi);
    this.#http.changeToken(http.token);
  }

  /** Takes no more events, stores everything, and frees all resources. */
  async stop(): Promise<void> {
    this.#ticker.stop();
    await Promise.all([
      this.#links.stop(),
      this.#agi.close(),
      this.#http.close(),
      // It passes its last packets to the calls before these are stored.
      this.#capture?.stop(),
    ]);
    this.#passOn(this.#awaited.releaseAll());
    await this.#companions.stop();
    this.#historyRecorder.close();
    this.#historyLog.look(this.#history.stats(), performance.now());
    await this.#history.close();
    this.#historyLog.close(this.#history.stats());
  }

  /** Takes one event through all rooms. */
  #take(said: PbxEvent): void {
    const event = this.#hideNumbers(said);
    if (this.#video.admits(event)) this.#passOn(this.#awaited.inOrder(event));
  }

  #passOn(events: readonly PbxEvent[]): void {
    for (const event of events) this.#pass(event);
  }

  #pass(event: PbxEvent): void {
    // The capture comes first, so that the calls know its packets when they take the event.
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
    this.#passOn(this.#awaited.due(nowMs));
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

  /** Runs before everything else: events from the time in which the sidecar stood still come only now, and are not late. */
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

  async #lastWord(uniqueid: string, counters: RtpCounters | undefined, said = ''): Promise<ChannelValues | undefined> {
    // No older value may be written after the final scores, and they must contain every report that Asterisk has sent.
    await Promise.all([
      this.#links.writeBack.seal(uniqueid),
      this.#links.events.barrier(LAST_EVENTS_TIMEOUT_MS).catch(() => {}),
    ]);
    this.#passOn(this.#awaited.release(uniqueid));
    const report = readRtpStat(said);
    if (report !== undefined) this.#take(byeReport(uniqueid, report, this.#clock.nowMs()));
    return this.#switchboard.finalWord(uniqueid, counters ?? {}, this.#clock.nowMs());
  }

  #health(): HealthReport {
    return healthReport({
      ...this.#links.states,
      history: this.#history.stats(),
      databaseBytes: this.#history.sizeBytes(),
      asteriskVersion: this.#links.events.asteriskVersion,
      capture: this.#capture?.health ?? { status: 'off', problem: null },
      counters: {
        ami: this.#links.events.counters,
        calls: this.#switchboard.counters,
        video: this.#video.counters,
        writeback: this.#links.writeBack.counters,
        agi: this.#agi.counters,
        http: this.#http.counters,
        live_stream: this.#http.liveStreamCounters,
        capture: this.#capture?.counters ?? null,
        ...this.#companions.counters,
      },
    });
  }
}

/** Without packets, calls are scored all the same. */
function noteCapture(log: Logger, state: LiveCaptureState): void {
  if (state.status === 'capturing') log.info('capture: packets are captured');
  else log.warn(coded('MES_ERR_CAPTURE'), `capture: ${state.problem} Trying again`);
}

/** Opens the history and starts a sidecar on it. Rejects with an Error of one sentence that says what to change. */
export async function startSidecar(settings: Settings, log: Logger): Promise<Sidecar> {
  const clock = new SteadyClock();
  const history = await openHistory({ ...settings.history, clock });
  const sidecar = new Sidecar(withStoredEndpoints(settings), log, history, clock);
  try {
    await sidecar.start();
  } catch (error) {
    await sidecar.stop();
    throw error;
  }
  return sidecar;
}
