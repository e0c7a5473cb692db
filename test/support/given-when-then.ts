/** Given these events, when this is decided, then those events or that rejection. */
import { expect } from 'vitest';
import type { Decision, Rejection } from '../../src/domain/decision.ts';

/** What a rejection carries beside its code. Unless `detail` is given, any one full sentence will do. */
type More = Partial<Omit<Rejection, 'code'>>;

/**
 * Builds `given` for one aggregate out of its `evolve`.
 *
 * `given(events)` is an aggregate with that history, `given.nothing()` one that does not exist yet. All that is
 * handed to a decision is frozen, so one that changes its state instead of answering with events fails.
 */
export function givenFor<State, Event>(evolve: (state: State | undefined, event: Event) => State) {
  const given = (events: readonly [Event, ...Event[]]) => {
    const [first, ...rest] = deepFreeze(events);
    const state = rest.reduce<State>(
      (folded, event) => deepFreeze(evolve(folded, event)),
      deepFreeze(evolve(undefined, first)),
    );
    return {
      when: (decide: (state: State) => Decision<Event[]>) => outcome(decide(state)),
      thenState: (expected: State) => expect(state).toStrictEqual(expected),
    };
  };
  given.nothing = () => ({
    when: (decide: (state: undefined) => Decision<Event[]>) => outcome(decide(undefined)),
  });
  return given;
}

/** The last word is `thenEvents`, not `then`: an object with a `then` method would pass for a promise. */
function outcome<Event>(decision: Decision<Event[]>) {
  return {
    thenEvents: (expected: readonly Event[]) => {
      expect(decision).toStrictEqual({ ok: true, value: expected });
    },
    thenRejected: (code: string, more: More = {}) => expectRejection(decision, code, more),
  };
}

/** Expects exactly this rejection: no field and no fact more or less. */
export function expectRejection(decision: Decision<unknown>, code: string, more: More = {}): void {
  const detail = expect.stringMatching(/^(?!.*(undefined|NaN|null)).+\.$/);
  expect(decision).toStrictEqual({ ok: false, rejection: { code, detail, ...more } });
}

export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
