/**
 * Entry of a service that kills itself: at the moment of a transfer that DIE_AT names, when it comes for the DIE_ON-th
 * time (default: the first). And what could come between the steps of a transfer does come, if its description says so.
 */
import type { FastifyInstance } from 'fastify';
import { compose } from '../../src/compose.ts';
import { loadConfig } from '../../src/config.ts';
import { createLogger } from '../../src/logging.ts';

/** Ends of descriptions: the account that the money goes to is frozen after the debit; the one it came from is closed too. */
const FROZEN_MEANWHILE = /:(frozen|closed)$/;
const CLOSED_MEANWHILE = /:closed$/;

const config = loadConfig(process.env);
const { DIE_AT, DIE_ON = '1' } = process.env;
let app: FastifyInstance | undefined;
let times = 0;

const bank = await compose(config, createLogger(config).logger, {
  async transferFailpoint(moment, transferId) {
    if (moment === 'debit_settled') await meddle(transferId);
    if (moment !== DIE_AT) return;
    times += 1;
    if (times === Number(DIE_ON)) process.kill(process.pid, 'SIGKILL');
  },
});
app = bank.app;
await app.listen({ host: config.host, port: config.port });

async function meddle(transferId: string): Promise<void> {
  const transfer = (await app?.inject(`/api/v1/transfers/${transferId}`))?.json();
  if (FROZEN_MEANWHILE.test(transfer?.description)) {
    await act(transfer.to_account_id, 'freeze', { scope: 'CREDITS', reason: 'Meanwhile' });
  }
  if (CLOSED_MEANWHILE.test(transfer?.description)) {
    await act(transfer.from_account_id, 'close', { reason: 'Meanwhile' });
  }
}

async function act(accountId: string, what: 'freeze' | 'close', payload: object): Promise<void> {
  await app?.inject({ method: 'POST', url: `/api/v1/accounts/${accountId}/${what}`, payload });
}
