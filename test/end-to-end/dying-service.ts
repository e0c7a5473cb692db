/** Entry of a service that kills itself: at the moment of a transfer that DIE_AT names. */
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { compose } from '../../src/compose.ts';
import { loadConfig } from '../../src/config.ts';

const config = loadConfig(process.env);
const { app } = await compose(config, pino({ level: 'silent' }), {
  transferFailpoint(moment) {
    if (moment === process.env.DIE_AT) process.kill(process.pid, 'SIGKILL');
  },
});
await app.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`${(app.server.address() as AddressInfo).port}\n`);
