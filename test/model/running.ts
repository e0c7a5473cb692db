/** A command on its way through the model, and the comparison of what the bank told with what it should have. */
import type { Wanted } from './model-account.ts';
import type { Asked, Told } from './model-bank.ts';

/** The bank did, or said, something that the model does not allow. */
export class Mismatch extends Error {}

/** An event that must be the next one of the log. */
export interface WantedOn extends Wanted {
  readonly stream: string;
}

export interface Step {
  readonly wanted: readonly WantedOn[];
  /** Whether the command has been answered with it. */
  readonly done: boolean;
}

export interface Running {
  readonly asked: Asked;
  readonly told: Told;
  /** Other commands ran at the same time. */
  readonly raced: boolean;
  /** Of a transfer: how far its driver is. */
  stage: 'asked' | 'debit_passed' | 'both_passed' | 'driving' | 'dead';
  transferId?: string;
  /** Whether this driver has taken down that the money has left. */
  tookDebitDown?: boolean;
  /** Its driver ends as soon as nothing is half done. */
  dies?: boolean;
  replayed?: boolean;
  /** Of the reversal of a transfer: how much is taken back. */
  minor?: bigint;
  /** Accounts to come, of a command that goes through several. */
  remaining?: string[];
  /** What it counts. */
  effects: number;
  examined: number;
}

export function running(asked: Asked, told: Told, raced: boolean): Running {
  return { asked, told, raced, stage: 'asked', effects: 0, examined: 0 };
}

/** A refusal leaves nothing in the log. */
export function expectRefusal(told: Told, code: string): [] {
  if (told.ok || told.rejection.code !== code) throw new Mismatch(`${code} is due, it told ${show(told)}`);
  return [];
}

export function expectAnswer(told: Told, answer: object): Extract<Told, { ok: true }>['value'] {
  if (!told.ok) throw new Mismatch(`${show(answer)} is due, it told ${show(told)}`);
  if ('replayed' in told.value) throw new Mismatch(`it is new, but was told as done before: ${show(told)}`);
  if (!contains(told.value, answer)) throw new Mismatch(`${show(answer)} is due, it told ${show(told)}`);
  return told.value;
}

/** The first answer again. */
export function expectReplay(told: Told, before: Readonly<Record<string, unknown>>): [] {
  const { position: _where, ...first } = before;
  if (!told.ok || told.value.replayed !== true || !contains(told.value, first)) {
    throw new Mismatch(`the first answer is due again, ${show(first)}; it told ${show(told)}`);
  }
  return [];
}

/** Whether `actual` has all of `expected`, field by field; an array counts as a whole. */
export function contains(actual: unknown, expected: unknown): boolean {
  if (typeof expected !== 'object' || expected === null) return actual === expected;
  if (typeof actual !== 'object' || actual === null) return false;
  if (Array.isArray(expected) && (!Array.isArray(actual) || actual.length !== expected.length)) return false;
  return Object.entries(expected).every(([field, value]) =>
    value === undefined ? true : contains((actual as Record<string, unknown>)[field], value),
  );
}

/** As text, with minor units as numbers. */
export function show(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner));
}
