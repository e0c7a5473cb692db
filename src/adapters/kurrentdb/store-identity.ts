/** The identity of a log: an event in a stream of its own, the same for every client and for ever. */
import { randomBytes } from 'node:crypto';
import { StoreError } from '../../event-sourcing/store-error.ts';
import type { Appends } from './appends.ts';
import type { KurrentDbClient } from './client.ts';
import { parsed, toSystemMessage } from './event-mapping.ts';
import { IDENTITY_STREAM, streamRequest } from './read-request.ts';
import { messagesOf, type StreamReader } from './stream-reader.ts';

const IDENTITY_TYPE = 'OpenBankStoreIdentified';
const FORM = /^[0-9a-zA-Z-]{1,64}$/;

/**
 * Reads the identity, or gives the log one; of several clients that try at once, the first wins.
 * @throws StoreError `corrupt` when the stream holds something else
 */
export async function identify(reader: StreamReader, appends: Appends): Promise<string> {
  const known = await readIdentity(reader);
  if (known !== undefined) return known;
  const identity = toSystemMessage(IDENTITY_TYPE, JSON.stringify({ id: randomBytes(8).toString('hex') }));
  await appends.appendSystemEvent(IDENTITY_STREAM, identity, 'no_stream');
  const won = await readIdentity(reader);
  if (won !== undefined) return won;
  throw new StoreError('unavailable', `The stream ${IDENTITY_STREAM} was written, but cannot be read yet.`);
}

/** Makes sure that the server still has the log that was opened. */
export type ConfirmLog = (...others: AbortSignal[]) => Promise<void>;

/**
 * A server may come back with another log, one without a volume with an empty one: its positions and revisions mean
 * other events, so nothing may be written there or read on. Asked whenever a lasting call is opened again.
 * @returns asks once; it also ends, without an error, when one of the signals fires
 * @throws StoreError `corrupt` when it is another log, or what the read failed with
 */
export function confirming(client: KurrentDbClient, storeId: string, closing: AbortSignal): ConfirmLog {
  return async (...others) => {
    const request = streamRequest(IDENTITY_STREAM, { direction: 'forwards', from: undefined, limit: 1 });
    for await (const message of messagesOf(client, request, [closing, ...others])) {
      const event = message.getEvent()?.getEvent();
      if (event && identityIn(event.getData_asU8()) === storeId) return;
    }
    if (others.some(({ aborted }) => aborted)) return;
    throw new StoreError(
      'corrupt',
      `${client.store} has another log than before (this one was ${storeId}): is it the right server, with its data? ` +
        'If the old events are meant to be gone, restart OpenBank.',
    );
  };
}

async function readIdentity(reader: StreamReader): Promise<string | undefined> {
  const oldest = await reader.edgeData(IDENTITY_STREAM, 'forwards');
  if (!oldest) return undefined;
  const id = identityIn(oldest.data);
  if (id !== undefined) return id;
  throw new StoreError('corrupt', `The stream ${IDENTITY_STREAM} does not begin with the identity of a log.`);
}

function identityIn(data: Uint8Array): string | undefined {
  const { id } = (parsed(data) ?? {}) as { id?: unknown };
  return typeof id === 'string' && FORM.test(id) ? id : undefined;
}
