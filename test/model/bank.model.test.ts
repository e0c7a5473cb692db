/**
 * The whole bank against a model of it: random commands, one after the other, several at once, and from two nodes.
 *
 * A failure prints its seed; `FC_SEED=… SLOW=1` plays it again.
 */
import fc from 'fast-check';
import { it } from 'vitest';
import { settings } from '../domain/property-settings.ts';
import { aloneDraw, type Draw, racedDraw, type Turn, timeTurn } from './commands.ts';
import { play } from './story.ts';

const turn = (kind: 'commands' | 'twice', draws: fc.Arbitrary<readonly Draw[]>) =>
  draws.map((some): Turn => ({ kind, draws: some }));

const alone = turn(
  'commands',
  aloneDraw.map((draw) => [draw]),
);
const race = turn('commands', fc.array(racedDraw, { minLength: 2, maxLength: 4 }));
const twice = turn('twice', fc.array(racedDraw, { minLength: 1, maxLength: 3 }));

const mostlyAlone = fc.oneof({ weight: 9, arbitrary: alone }, { weight: 2, arbitrary: timeTurn });
const mostlyRaces = fc.oneof(
  { weight: 3, arbitrary: alone },
  { weight: 5, arbitrary: race },
  { weight: 2, arbitrary: twice },
  { weight: 1, arbitrary: timeTurn },
);

const story = (turns: fc.Arbitrary<Turn>, maxLength: number) =>
  fc.array(turns, { minLength: 1, maxLength, size: 'max' });

it('does what the model says, command by command', async () => {
  const property = fc.asyncProperty(story(mostlyAlone, 60), (turns) =>
    play(turns, { nodes: 1, currencies: ['USD', 'USD', 'BHD'] }),
  );
  await fc.assert(property, settings(10, 700));
}, 600_000);

it('does what the model says in some order, when commands come at the same time', async () => {
  const property = fc.asyncProperty(story(mostlyRaces, 25), (turns) =>
    play(turns, { nodes: 1, currencies: ['USD', 'USD', 'JPY'] }),
  );
  await fc.assert(property, settings(10, 700));
}, 600_000);

it('does so on two nodes that know of each other only by the store', async () => {
  const property = fc.asyncProperty(story(mostlyRaces, 25), (turns) =>
    play(turns, { nodes: 2, currencies: ['USD', 'USD'] }),
  );
  await fc.assert(property, settings(10, 700));
}, 600_000);
