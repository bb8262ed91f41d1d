// The image's health check: exit status 0 when the sidecar answers where its settings say that it listens.
import { readSettings } from './dist/config/read-settings.js';

const { host, port } = (await readSettings(undefined, process.env)).http.bind;
const address = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[host] ?? (host.includes(':') ? `[${host}]` : host);
const answer = await fetch(`http://${address}:${port}/healthz`, { signal: AbortSignal.timeout(3000) });
if (!answer.ok) throw new Error(`/healthz answers ${answer.status}`);
