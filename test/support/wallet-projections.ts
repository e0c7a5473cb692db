/** Read models over wallets, and ways to make their folds fail. */
import type { Recorded } from '../../src/event-sourcing/codec.ts';
import {
  type AnyProjection,
  defineProjection,
  type Projection,
} from '../../src/event-sourcing/projection.ts';
import type { Document } from '../../src/event-sourcing/read-model-store.ts';
import { WALLET_EVENT_TYPES, type WalletEvent, walletType } from './wallet.ts';

export type WalletDocument = {
  readonly id: string;
  readonly owner: string;
  readonly balance: number;
  /** Events folded in: it shows one that was folded twice. */
  readonly changes: number;
  readonly revision: number;
};

export const wallets = defineProjection<WalletEvent, WalletDocument>({
  name: 'wallets',
  version: 1,
  indexes: ['owner'],
  listed: true,
  eventTypes: WALLET_EVENT_TYPES,
  stream: walletType.stream,
  keys: (event) => [event.metadata.aggregate_id],
  fold(document, event, _lookup, id) {
    const { revision } = event;
    if (event.type === 'WalletOpenedV1') {
      return { id, owner: event.data.owner, balance: 0, changes: 1, revision };
    }
    if (!document) throw new Error(`wallet ${id} was never opened`);
    return {
      ...document,
      balance: document.balance + signed(event),
      changes: document.changes + 1,
      revision,
    };
  },
});

export type MovementDocument = {
  readonly wallet: string;
  readonly amount: number;
  /** The wallet's balance as another read model had it when the event was folded. */
  readonly balance: number;
};

/** One document for each change of a balance; written once. */
export const movements = defineProjection<WalletEvent, MovementDocument>({
  name: 'movements',
  version: 1,
  indexes: ['wallet'],
  listed: true,
  eventTypes: ['WalletFilledV1', 'WalletSpentV1'],
  writeOnce: true,
  lookups: (event) => [{ from: wallets, key: event.metadata.aggregate_id }],
  keys: (event) => [event.id],
  fold(_document, event, lookup) {
    const wallet = event.metadata.aggregate_id;
    return { wallet, amount: signed(event), balance: lookup.get(wallets, wallet)?.balance ?? Number.NaN };
  },
});

export type OwnerDocument = { readonly owner: string; readonly wallets: number; readonly total: number };

/** One document for each owner, over all wallets: only a look at the wallet tells whose it is. */
export const owners = defineProjection<WalletEvent, OwnerDocument>({
  name: 'owners',
  version: 1,
  indexes: [],
  listed: true,
  eventTypes: WALLET_EVENT_TYPES,
  lookups: (event) =>
    event.type === 'WalletOpenedV1' ? [] : [{ from: wallets, key: event.metadata.aggregate_id }],
  keys(event, lookup) {
    if (event.type === 'WalletOpenedV1') return [event.data.owner];
    const wallet = lookup.get(wallets, event.metadata.aggregate_id);
    if (!wallet) throw new Error(`wallet ${event.metadata.aggregate_id} is not known`);
    return [wallet.owner];
  },
  fold(document, event, _lookup, owner) {
    const before = document ?? { owner, wallets: 0, total: 0 };
    if (event.type === 'WalletOpenedV1') return { ...before, wallets: before.wallets + 1 };
    return { ...before, total: before.total + signed(event) };
  },
});

/** Which revisions of a wallet's stream were folded, whatever they say. */
export const revisions = defineProjection<WalletEvent, { readonly folded: readonly number[] }>({
  name: 'revisions',
  version: 1,
  indexes: [],
  listed: true,
  eventTypes: WALLET_EVENT_TYPES,
  stream: walletType.stream,
  keys: (event) => [event.metadata.aggregate_id],
  fold: (document, event) => ({ folded: [...(document?.folded ?? []), event.revision] }),
});

export const WALLET_PROJECTIONS: readonly AnyProjection<WalletEvent>[] = [wallets, movements, owners];

function signed(event: Recorded<WalletEvent>): number {
  if (event.type === 'WalletOpenedV1') return 0;
  return event.type === 'WalletFilledV1' ? event.data.amount : -event.data.amount;
}

/** The same projection, whose fold throws what `fault` answers for an event. */
export function failingOn<D extends Document>(
  projection: Projection<WalletEvent, D>,
  fault: (event: Recorded<WalletEvent>, key: string) => Error | undefined,
): Projection<WalletEvent, D> {
  return {
    ...projection,
    fold(document, event, lookup, key) {
      const error = fault(event, key);
      if (error) throw error;
      return projection.fold(document, event, lookup, key);
    },
  };
}
