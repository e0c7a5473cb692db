/** The identity of a log: an event in a stream of its own, the same for every client and for ever. */
import { randomBytes } from 'node:crypto';
import { StoreError } from '../../event-sourcing/store-error.ts';
import type { Appends } from './appends.ts';
import { parsed, toSystemMessage } from './event-mapping.ts';
import { IDENTITY_STREAM } from './read-request.ts';
import type { StreamReader } from './stream-reader.ts';

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

async function readIdentity(reader: StreamReader): Promise<string | undefined> {
  const oldest = await reader.edgeData(IDENTITY_STREAM, 'forwards');
  if (!oldest) return undefined;
  const { id } = (parsed(oldest.data) ?? {}) as { id?: unknown };
  if (typeof id === 'string' && FORM.test(id)) return id;
  throw new StoreError('corrupt', `The stream ${IDENTITY_STREAM} does not begin with the identity of a log.`);
}
