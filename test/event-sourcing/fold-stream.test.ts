/** Folding one document from its own stream: what a query answers with while the read model has none. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { openSqliteReadModelStore } from '../../src/adapters/sqlite/read-model-store.ts';
import { createCodec } from '../../src/event-sourcing/codec.ts';
import { DocumentSession } from '../../src/event-sourcing/document-session.ts';
import { foldStream } from '../../src/event-sourcing/fold-stream.ts';
import { mustAppend, newEvent } from '../support/event-builders.ts';
import { newDocument, write } from '../support/read-model-builders.ts';
import {
  filled,
  opened,
  spent,
  WALLET_EVENT_TYPES,
  type WalletEvent,
  walletCodec,
  walletEvents,
  walletType,
} from '../support/wallet.ts';
import { owners, revisions, wallets } from '../support/wallet-projections.ts';

const events = () => openSqliteEventStore({ kind: 'memory' });
let log: ReturnType<typeof events>;
let readModels: ReturnType<typeof openSqliteReadModelStore>;

beforeEach(async () => {
  log = events();
  readModels = openSqliteReadModelStore({ kind: 'memory' });
  await readModels.prepare([wallets, owners], log.storeId);
});
afterEach(async () => {
  await log.close();
  await readModels.close();
});

const record = (...recorded: readonly WalletEvent[]) =>
  mustAppend(log, 'wallet-a', walletEvents('a', ...recorded), 'any');
const session = () => new DocumentSession(readModels);

describe('folding a document from its stream', () => {
  it('gives what the projection would have stored', async () => {
    await record(opened('zoe'), filled(9), spent(2));
    expect(await foldStream(log, walletCodec, wallets, 'a', session())).toEqual({
      id: 'a',
      owner: 'zoe',
      balance: 7,
      changes: 3,
      revision: 2,
    });
    expect(await readModels.get(wallets, 'a')).toBeUndefined();
  });

  it('goes through a revision and no further', async () => {
    await record(opened(), filled(1), filled(2), filled(4));
    const balances = await Promise.all(
      [0, 1, 2, 3, 9].map((through) => foldStream(log, walletCodec, wallets, 'a', session(), through)),
    );
    expect(balances.map((document) => document?.balance)).toEqual([0, 1, 3, 7, 7]);
  });

  it('of a truncated stream counts revisions, not events', async () => {
    await record(opened(), filled(1), filled(1), filled(1), filled(1));
    await log.setStreamMetadata('wallet-a', { truncateBefore: 2 });
    expect(await foldStream(log, walletCodec, revisions, 'a', session(), 3)).toEqual({ folded: [2, 3] });
  });

  it('gives nothing where there is no stream, and where the projection has none', async () => {
    await record(opened());
    expect(await foldStream(log, walletCodec, wallets, 'none', session())).toBeUndefined();
    expect(await foldStream(log, walletCodec, owners, 'ann', session())).toBeUndefined();
  });

  it('passes over events that the projection does not want', async () => {
    await record(opened(), filled(1), spent(1), filled(1));
    const fillings = {
      ...wallets,
      eventTypes: WALLET_EVENT_TYPES.filter((type) => type !== 'WalletSpentV1'),
    };
    expect(await foldStream(log, walletCodec, fillings, 'a', session())).toMatchObject({
      balance: 2,
      changes: 3,
    });
  });

  it('looks other documents up', async () => {
    await record(opened('ann'));
    const ann = newDocument({ key: 'ann', document: { owner: 'ann', wallets: 3, total: 0 } });
    await write(readModels, owners, [ann]);
    const withOwner = {
      ...wallets,
      lookups: () => [{ from: owners, key: 'ann' }],
      fold: (_document: unknown, _event: unknown, lookup: Pick<DocumentSession, 'get'>) => ({
        found: lookup.get(owners, 'ann'),
      }),
    };
    expect(await foldStream(log, walletCodec, withOwner, 'a', session())).toEqual({
      found: { owner: 'ann', wallets: 3, total: 0 },
    });
  });

  it('reads old event versions as current ones', async () => {
    const { type: _type, ...rest } = newEvent({ data: { name: 'zoe' } });
    const codec = createCodec<WalletEvent>(WALLET_EVENT_TYPES, {
      WalletOpenedV0: (data: { name: string }) => opened(data.name),
    });
    await mustAppend(log, 'wallet-a', [{ ...rest, type: 'WalletOpenedV0' }], 'no_stream');
    expect(await foldStream(log, codec, wallets, 'a', session())).toMatchObject({ owner: 'zoe' });
  });

  it('fails where an event cannot be decoded or folded, and does not answer with a part', async () => {
    await record(opened(), filled(1));
    await mustAppend(log, walletType.stream('a'), [newEvent({ type: 'WalletBurntV1' })], 1);
    await expect(foldStream(log, walletCodec, wallets, 'a', session())).rejects.toMatchObject({
      code: 'corrupt',
    });
    await mustAppend(log, 'wallet-b', walletEvents('b', filled(1)), 'no_stream');
    await expect(foldStream(log, walletCodec, wallets, 'b', session())).rejects.toThrow('never opened');
  });
});
