import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { DONE, fail, warn } from '../exit-status.ts';

const DEFAULT_PATH = '/etc/asterisk-mes/collect.conf';

export function addCollect(program: Command, finish: (status: number) => void): void {
  program
    .command('collect')
    .description('the collection server of measurements: takes what it cannot read, and stores it')
    .option('--config <file>', `its settings (default: ${DEFAULT_PATH}, if it is there)`)
    .action(async (options: { readonly config?: string }) => finish(await collect(options.config)));
}

async function collect(config: string | undefined): Promise<number> {
  const [{ readCollectSettings }, { buildCollector }, { storeAt }] = await Promise.all([
    import('../../config/collect-settings.ts'),
    import('../../measurements/collector/server.ts'),
    import('../../measurements/collector/store-at.ts'),
  ]);
  const { existsSync } = await import('node:fs');
  try {
    const { hostAndPortText } = await import('../../config/value-types.ts');
    const path = config ?? (existsSync(DEFAULT_PATH) ? DEFAULT_PATH : undefined);
    const settings = await readCollectSettings(path, process.env);
    const app = buildCollector({
      store: storeAt(settings.place),
      recipients: settings.recipients,
      perMinute: settings.perMinute,
      isPresigning: settings.isPresigning,
      questions: settings.questions && {
        text: await checkedQuestions(settings.questions.file),
        signingKey: await signingKey(settings.questions.signingKeyFile),
      },
      tls: settings.tls && {
        cert: await fileText(settings.tls.certFile, 'tls_cert'),
        key: await fileText(settings.tls.keyFile, 'tls_key'),
      },
      onProblem: warn,
    });
    const stopped = new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    });
    await app.listen({ host: settings.bind.host, port: settings.bind.port });
    const address = app.server.address();
    const port = typeof address === 'object' && address !== null ? address.port : settings.bind.port;
    process.stdout.write(
      `asterisk-mes collects on http${settings.tls === null ? '' : 's'}://${hostAndPortText({ ...settings.bind, port })}\n`,
    );
    await stopped;
    await app.close();
    return DONE;
  } catch (error) {
    return fail(error);
  }
}

/** Rejects with an Error of one sentence when no PBX would take the questions. */
async function checkedQuestions(path: string): Promise<string> {
  const { readPublishedQuestions } = await import('../../ratings/questions.ts');
  const text = await fileText(path, 'questions');
  readPublishedQuestions(path, text);
  return text;
}

async function signingKey(path: string): Promise<string> {
  const { createPrivateKey } = await import('node:crypto');
  const text = await fileText(path, 'signing_key');
  let type: string | undefined;
  try {
    type = createPrivateKey(text).asymmetricKeyType;
  } catch {
    type = undefined;
  }
  if (type === 'ed25519') return text;
  throw new Error(
    `[collector] signing_key = ${path} is no private Ed25519 key (PEM); make one with "openssl genpkey -algorithm ed25519"`,
  );
}

async function fileText(path: string, key: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new Error(
      `[collector] ${key} = ${path} cannot be read (${code}); correct it, or let this user read the file`,
      { cause: error },
    );
  });
}
