/** Sequences as fast-check draws them: commands alone and at the same time, scenes, and time that passes. */
import fc from 'fast-check';
import { aloneDraw, type Draw, racedDraw } from './draws.ts';
import { dayUnderLimit, monthlyCharges, racedReversals, stuckReversal, stuckTransfer } from './scenes.ts';

/** A step of a sequence: one command, several at the same time, or time that passes. */
export type Turn =
  | { readonly kind: 'commands'; readonly draws: readonly Draw[] }
  /** An impatient client: the first command is sent twice, under a key of its own. */
  | { readonly kind: 'twice'; readonly draws: readonly Draw[] }
  | {
      readonly kind: 'time';
      readonly passes: 'hour' | 'to_midnight' | 'to_expiry' | 'day' | 'month' | 'year';
    };

const timeTurn: fc.Arbitrary<Turn> = fc.record({
  kind: fc.constant('time' as const),
  passes: fc.constantFrom(
    'hour',
    'hour',
    'to_midnight',
    'to_expiry',
    'to_expiry',
    'day',
    'month',
    'month',
    'year',
  ),
});

const turn = (kind: 'commands' | 'twice', some: fc.Arbitrary<readonly Draw[]>) =>
  some.map((draws): Turn => ({ kind, draws }));

const aloneTurn = turn(
  'commands',
  aloneDraw.map((draw) => [draw]),
);
const raceTurn = turn('commands', fc.array(racedDraw, { minLength: 2, maxLength: 4 }));
const twiceTurn = turn('twice', fc.array(racedDraw, { minLength: 1, maxLength: 3 }));

const turns = (maxLength: number, ...kinds: { weight: number; arbitrary: fc.Arbitrary<Turn[]> }[]) =>
  fc.array(fc.oneof(...kinds), { minLength: 8, maxLength, size: 'max' }).map((pieces) => pieces.flat());

const one = (weight: number, arbitrary: fc.Arbitrary<Turn>) => ({
  weight,
  arbitrary: arbitrary.map((single) => [single]),
});

/** One command after the other. */
export const aloneTurns = turns(
  45,
  one(18, aloneTurn),
  one(4, timeTurn),
  { weight: 1, arbitrary: dayUnderLimit },
  { weight: 1, arbitrary: stuckTransfer },
  { weight: 1, arbitrary: stuckReversal },
  { weight: 1, arbitrary: monthlyCharges },
);

/** Mostly several commands at once. */
export const racedTurns = turns(
  22,
  one(6, aloneTurn),
  one(10, raceTurn),
  one(4, twiceTurn),
  one(2, timeTurn),
  { weight: 1, arbitrary: stuckTransfer },
  { weight: 1, arbitrary: racedReversals },
);
