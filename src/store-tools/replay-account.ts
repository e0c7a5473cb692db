/** Replays an account over the configured store, beside a bank that may be running. */
import { createBankCodec } from '../application/bank-codec.ts';
import {
  isDifferent,
  isRemarkable,
  type ReplayRequest,
  replayAccount,
  type ShownStep,
} from '../application/replay/replay-account.ts';
import { confirmReadersCurrency } from '../composition/confirm-currency.ts';
import { openEventReader } from '../composition/open-stores.ts';
import type { Config } from '../config.ts';
import { StoreError } from '../event-sourcing/store-error.ts';

export { isDifferent, isRemarkable, type ShownStep, StoreError };

/** The steps of the request. @throws StoreError as `replayAccount` does, what opening the store throws, and when it has old accounts in another currency */
export async function* replayFromStore(
  { eventStore, archiveDir, defaultCurrency }: Pick<Config, 'eventStore' | 'archiveDir' | 'defaultCurrency'>,
  request: ReplayRequest,
): AsyncGenerator<ShownStep> {
  if (eventStore.kind === 'memory') {
    throw new StoreError('unsupported', 'A store in memory cannot be read by another process.');
  }
  const { reader, live, close } = await openEventReader({ eventStore, archiveDir });
  try {
    await confirmReadersCurrency({ reader, live }, defaultCurrency);
    yield* replayAccount({ reader, codec: createBankCodec(defaultCurrency) }, request);
  } finally {
    await close();
  }
}
