import { DemoCalls } from './demo-calls.ts';
import { DEMO_PHONES } from './demo-phones.ts';
import { HOST, LASTING, type RunningDemo, type StartDemo } from './demo-show.ts';
import { startLab } from './lab.ts';
import { SidecarProcess } from './sidecar-process.ts';

/** How long the last calls may take to be remembered. */
const SETTLE_MS = 10_000;

/** One Asterisk, its phones, and its sidecar. */
export const startDemoPbx: StartDemo = async ({ port, data }, say): Promise<RunningDemo> => {
  const lab = await startLab({ release: '22', phones: DEMO_PHONES, ...LASTING });
  try {
    say(`Asterisk ${lab.pbx.version} is up on ${lab.pbx.host}, with ${DEMO_PHONES.length} phones.`);
    const dataDirectory = data === undefined ? {} : { dataDirectory: data };
    const sidecar = await SidecarProcess.start(lab, { httpHost: HOST, httpPort: port, ...dataDirectory });
    say(`asterisk-mes scores its calls: ${sidecar.url}/ Ctrl-C ends the demo.`);
    return {
      version: lab.pbx.version,
      calls: [new DemoCalls(lab)],
      source: {
        url: sidecar.url,
        name: 'the sidecar',
        settleMs: SETTLE_MS,
        get: (path) => sidecar.get(path),
        check() {
          if (!sidecar.isRunning) throw new Error(`The sidecar ended. Its last words:\n${sidecar.output.trim()}`);
        },
      },
      stop: async () => {
        await sidecar.stop();
        await lab.stop();
      },
    };
  } catch (error) {
    await lab.stop();
    throw error;
  }
};
