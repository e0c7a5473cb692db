/**
 * The whole bank against a model of it: random commands, one after the other, several at once, and from two nodes.
 *
 * A failure prints its seed; `FC_SEED=… SLOW=1` plays it again. A few sequences in the quick tier, thousands in the long.
 */
import fc from 'fast-check';
import { it } from 'vitest';
import { settings } from '../domain/property-settings.ts';
import { play } from './story.ts';
import { aloneTurns, racedTurns } from './turns.ts';

const TIMEOUT_MS = 900_000;

it(
  'does what the model says, command by command',
  async () => {
    const property = fc.asyncProperty(aloneTurns, (turns) =>
      play(turns, { nodes: 1, currencies: ['BHD', 'USD', 'USD'] }),
    );
    await fc.assert(property, settings(3, 1_400));
  },
  TIMEOUT_MS,
);

it(
  'does what the model says in some order, when commands come at the same time',
  async () => {
    const property = fc.asyncProperty(racedTurns, (turns) =>
      play(turns, { nodes: 1, currencies: ['JPY', 'USD', 'USD'] }),
    );
    await fc.assert(property, settings(3, 300));
  },
  TIMEOUT_MS,
);

it(
  'does so on two nodes that know of each other only by the store',
  async () => {
    const property = fc.asyncProperty(racedTurns, (turns) =>
      play(turns, { nodes: 2, currencies: ['USD', 'USD'] }),
    );
    await fc.assert(property, settings(3, 300));
  },
  TIMEOUT_MS,
);
