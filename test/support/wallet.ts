/** A small aggregate of its own, so that the event-sourcing kit is tested without the bank. Amounts are whole numbers. */
import { createCodec } from '../../src/event-sourcing/codec.ts';
import type { AggregateType, CommandContext, Outcome } from '../../src/event-sourcing/repository.ts';
import { newEvent, newMetadata } from './event-builders.ts';

export type WalletEvent =
  | { readonly type: 'WalletOpenedV1'; readonly data: { readonly owner: string } }
  | { readonly type: 'WalletFilledV1'; readonly data: { readonly amount: number } }
  | { readonly type: 'WalletSpentV1'; readonly data: { readonly amount: number } };

export const WALLET_EVENT_TYPES = ['WalletOpenedV1', 'WalletFilledV1', 'WalletSpentV1'] as const;

export interface Wallet {
  readonly owner: string;
  readonly balance: number;
}

/** Why a command was refused, and the balance on which that was decided; −1 where there is no wallet. */
export interface WalletRefusal {
  readonly code: 'exists' | 'missing' | 'too_little';
  readonly balance: number;
}

export const WALLET_STREAM_PREFIX = 'wallet-';

export const walletType = {
  name: 'Wallet',
  stream: (id: string) => WALLET_STREAM_PREFIX + id,
  evolve(wallet: Wallet | undefined, event: WalletEvent): Wallet {
    if (event.type === 'WalletOpenedV1') return { owner: event.data.owner, balance: 0 };
    if (!wallet) throw new Error(`${event.type} came before the wallet was opened`);
    const sign = event.type === 'WalletFilledV1' ? 1 : -1;
    return { ...wallet, balance: wallet.balance + sign * event.data.amount };
  },
} satisfies AggregateType<Wallet, WalletEvent>;

export const walletCodec = createCodec<WalletEvent>(WALLET_EVENT_TYPES);

export type WalletDecision = (wallet: Wallet | undefined) => Outcome<WalletEvent[], WalletRefusal>;

export const opened = (owner = 'ann'): WalletEvent => ({ type: 'WalletOpenedV1', data: { owner } });
export const filled = (amount: number): WalletEvent => ({ type: 'WalletFilledV1', data: { amount } });
export const spent = (amount: number): WalletEvent => ({ type: 'WalletSpentV1', data: { amount } });

export const open =
  (owner = 'ann'): WalletDecision =>
  (wallet) =>
    wallet ? refuse('exists', wallet) : { ok: true, value: [opened(owner)] };

export const fill =
  (...amounts: number[]): WalletDecision =>
  (wallet) =>
    wallet ? { ok: true, value: amounts.map(filled) } : refuse('missing');

export const spend =
  (amount: number): WalletDecision =>
  (wallet) => {
    if (!wallet) return refuse('missing');
    return wallet.balance < amount ? refuse('too_little', wallet) : { ok: true, value: [spent(amount)] };
  };

function refuse(code: WalletRefusal['code'], wallet?: Wallet): { ok: false; rejection: WalletRefusal } {
  return { ok: false, rejection: { code, balance: wallet?.balance ?? -1 } };
}

export const someone: CommandContext = { correlation_id: 'correlation-1', causation_id: 'cause-1' };

/** Domain events of one wallet as a store takes them. */
export function walletEvents(id: string, ...events: readonly WalletEvent[]) {
  const metadata = newMetadata({ aggregate_type: 'Wallet', aggregate_id: id });
  return events.map(({ type, data }) => newEvent({ type, data, metadata }));
}
