/** How a route answers that has sent money on its way by a transfer. */
import type { FastifyReply } from 'fastify';
import type { RequestedTransfer } from '../application/commands/request-transfer.ts';
import type { ReadYourWrites } from '../event-sourcing/read-your-writes.ts';
import { writtenHeaders } from './messages.ts';
import { transferSchema } from './schemas/transfers.ts';

export const TRANSFER_ANSWERS = {
  201: transferSchema.describe('Ended; `status` says how.'),
  202: transferSchema.describe('On record, and finished in the background: a store failed meanwhile.'),
} as const;

export function sendTransfer(
  reply: FastifyReply,
  requested: RequestedTransfer,
  readYourWrites: ReadYourWrites,
): FastifyReply {
  const { transfer, finished } = requested;
  writtenHeaders(reply, requested, readYourWrites);
  reply.header('location', `/api/v1/transfers/${transfer.id}`);
  return reply.code(finished ? 201 : 202).send(transfer);
}
