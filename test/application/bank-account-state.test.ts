/**
 * Snapshots of accounts hold their folded state. When its shape or its meaning changes, those that are stored must not be
 * used any more: then `stateVersion` of `bankAccountType` has to rise, which nothing else would notice.
 */
import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { bankAccountType } from '../../src/application/bank.ts';
import { BANK_ACCOUNT_EVENT_TYPES, type BankAccount } from '../../src/domain/bank-account.ts';
import { fromExactJson, type Json, toExactJson } from '../../src/event-sourcing/snapshots/exact-json.ts';
import { ACCOUNT_LIFE } from '../support/account-life.ts';

/** Of all states of a life, by version. A version that was released never gets another hash. */
const FINGERPRINTS: Readonly<Record<number, string>> = {
  1: 'vmYqNZ_b3oAkWA6z',
};

const states: BankAccount[] = [];
for (const [at, event] of ACCOUNT_LIFE) states.push(bankAccountType.evolve(states.at(-1), event, at));

/** That books are closed changes no state, so the one after it is none of its own. */
const distinct = states.filter(
  (_, index) => ACCOUNT_LIFE[index]?.[1].type !== 'BankAccountBooksClosedDomainEventV1',
);

describe('the state of an account', () => {
  it('has the shape and the meaning of its version', () => {
    const fingerprint = hash('sha256', JSON.stringify(sorted(toExactJson(distinct))), 'base64url').slice(
      0,
      16,
    );
    const advice =
      'evolveBankAccount makes other states than those which snapshots of this version hold: raise stateVersion in ' +
      `src/application/bank.ts, and note ${fingerprint} for the new version here`;
    expect(fingerprint, advice).toBe(FINGERPRINTS[bankAccountType.stateVersion]);
  });

  it('is tried with all that can happen to an account', () => {
    const happened = new Set(ACCOUNT_LIFE.map(([, { type }]) => type));
    expect(BANK_ACCOUNT_EVENT_TYPES.filter((type) => !happened.has(type))).toEqual([]);
    const filled = new Set(states.flatMap((state) => Object.entries(state).flatMap(nonEmpty)));
    expect(Object.keys(states[0] ?? {}).filter((field) => !filled.has(field))).toEqual([]);
  });

  it('comes back from a snapshot as it was, to the last cent', () => {
    for (const state of states) {
      expect(fromExactJson(JSON.parse(JSON.stringify(toExactJson(state))))).toStrictEqual(state);
    }
    expect(states[1]?.balance).toBe(9_007_199_254_740_993n);
  });
});

/** The field, if this state has something in it. */
function nonEmpty([field, value]: [string, unknown]): string[] {
  const isEmpty = value === null || (typeof value === 'object' && Object.keys(value).length === 0);
  return isEmpty ? [] : [field];
}

/** The order of fields is no part of a state. */
function sorted(json: Json): Json {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map(sorted);
  const fields = Object.entries(json).map(([key, inner]) => [key, sorted(inner)] as const);
  return Object.fromEntries(fields.sort(([left], [right]) => (left < right ? -1 : 1)));
}
