/**
 * `node event-reader.ts WHAT HOST PORT USER SECRET COUNT`: reads an AMI connection's events and does nothing with them,
 * for comparison; WHAT is `asterisk-manager` (COUNT events) or `socket` (COUNT bytes). Prints a line when it is connected
 * and another one when it has them all.
 */
import { connect } from 'node:net';
import createManager from 'asterisk-manager';

const [what, host = '', port, user = '', secret = '', count] = process.argv.slice(2);

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

if (what === 'asterisk-manager') {
  const client = createManager(undefined, host, user, secret, true);
  let left = Number(count);
  client.on('managerevent', () => {
    if (--left > 0) return;
    say('done');
    process.exit();
  });
  client.connect({ port: Number(port), host }, undefined, () => {
    client.login(() => client.action({ action: 'Events', eventmask: 'on' }, () => say('ready')));
  });
} else {
  const socket = connect({ port: Number(port), host });
  let left = Number(count);
  let isReady = false;
  socket.write(
    `Action: Login\r\nUsername: ${user}\r\nSecret: ${secret}\r\n\r\nAction: Events\r\nEventMask: on\r\n\r\n`,
  );
  socket.on('data', (chunk) => {
    if (isReady) left -= chunk.length;
    else if (chunk.includes('Events: On')) {
      isReady = true;
      say('ready');
    }
    if (left > 0) return;
    say('done');
    process.exit();
  });
}
