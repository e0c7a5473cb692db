/** The mediator and its pipeline: one handler for a message, behaviours around it, validation and the log line. */
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { positiveAmount, text } from '../../src/application/fields.ts';
import {
  type Behaviour,
  command,
  type Handler,
  Mediator,
  query,
  type RequestContext,
} from '../../src/application/mediator.ts';
import { type Logger, logging, validation } from '../../src/application/pipeline.ts';
import { accept, type Decision, reject } from '../../src/domain/decision.ts';

const context: RequestContext = {
  correlation_id: 'correlation-1',
  causation_id: 'cause-1',
  expectedRevision: 4,
};
const fields = z.strictObject({ name: text('A name.', 10, 'ann') });
type Input = z.output<typeof fields>;

const Greet = command<string>()('Greet', fields);
const Look = query<string>()('Look', fields);

const answering =
  (answer: string): Handler<Input, string> =>
  async () =>
    accept(answer);

describe('the mediator', () => {
  it('sends a message to its handler, with its input and who asks', async () => {
    const handled: unknown[] = [];
    const mediator = new Mediator([])
      .register(Greet, async (input, who) => {
        handled.push(input, who);
        return accept(`hello ${input.name}`);
      })
      .register(Look, answering('another handler'));
    expect(await mediator.send(Greet, { name: 'ann' }, context)).toEqual(accept('hello ann'));
    expect(handled).toEqual([{ name: 'ann' }, context]);
  });

  it('gives back what the handler refused', async () => {
    const refusal = reject('too_early', 'Nobody is up.', { field: 'name', facts: { hour: 5 } });
    const mediator = new Mediator([]).register(Greet, async () => refusal);
    expect(await mediator.send(Greet, { name: 'ann' }, context)).toBe(refusal);
  });

  it('lets through what the handler throws', async () => {
    const mediator = new Mediator([validation]).register(Greet, () => Promise.reject(new Error('no store')));
    await expect(mediator.send(Greet, { name: 'ann' }, context)).rejects.toThrow('no store');
  });

  it('takes one handler for a message', () => {
    const mediator = new Mediator([]).register(Greet, answering('first'));
    expect(() => mediator.register(Greet, answering('second'))).toThrow('Greet has a handler already');
    const sameName = query<string>()('Greet', fields);
    expect(() => mediator.register(sameName, answering('third'))).toThrow('Greet has a handler already');
  });

  it('says so when a message has no handler', () => {
    expect(() => new Mediator([]).send(Greet, { name: 'ann' }, context)).toThrow('Greet has no handler');
  });
});

describe('the pipeline', () => {
  const steps: string[] = [];
  const noting =
    (name: string): Behaviour =>
    async (message, input, _context, next) => {
      steps.push(`${name} before ${message.name}`);
      const decision = await next(input);
      steps.push(`${name} after`);
      return decision;
    };
  beforeEach(() => {
    steps.length = 0;
  });

  it('runs its behaviours from the outermost to the innermost, then the handler, and back', async () => {
    const mediator = new Mediator([noting('outer'), noting('inner')]).register(Greet, async () => {
      steps.push('handler');
      return accept('hello');
    });
    await mediator.send(Greet, { name: 'ann' }, context);
    expect(steps).toEqual([
      'outer before Greet',
      'inner before Greet',
      'handler',
      'inner after',
      'outer after',
    ]);
  });

  it('lets a behaviour answer by itself: nothing further in is reached', async () => {
    const closed: Behaviour = async () => reject('closed', 'Come again tomorrow.');
    const mediator = new Mediator([noting('outer'), closed, noting('inner')]).register(
      Greet,
      answering('hello'),
    );
    expect(await mediator.send(Greet, { name: 'ann' }, context)).toMatchObject({
      rejection: { code: 'closed' },
    });
    expect(steps).toEqual(['outer before Greet', 'outer after']);
  });

  it('lets a behaviour change the input, and gives all of them the context', async () => {
    const contexts: RequestContext[] = [];
    const louder: Behaviour = (_message, input, who, next) => {
      contexts.push(who);
      return next({ name: (input as Input).name.toUpperCase() });
    };
    const mediator = new Mediator([louder]).register(Greet, async ({ name }, who) => {
      contexts.push(who);
      return accept(name);
    });
    expect(await mediator.send(Greet, { name: 'ann' }, context)).toEqual(accept('ANN'));
    expect(contexts).toEqual([context, context]);
  });

  it('keeps messages apart that are under way at once', async () => {
    const slow: Behaviour = async (_message, input, _context, next) => {
      await new Promise((resolve) => setTimeout(resolve, (input as Input).name === 'ann' ? 10 : 1));
      return next(input);
    };
    const mediator = new Mediator([slow]).register(Greet, async ({ name }) => accept(name));
    const answers = await Promise.all(['ann', 'bob'].map((name) => mediator.send(Greet, { name }, context)));
    expect(answers).toEqual([accept('ann'), accept('bob')]);
  });
});

describe('validation', () => {
  const Post = command<unknown>()(
    'Post',
    z.strictObject({
      amount: positiveAmount('The amount.', '1.00'),
      address: z.strictObject({ city: text('City.', 5, 'Bern') }).optional(),
    }),
  );
  const handled: unknown[] = [];
  const mediator = new Mediator([validation]).register(Post, async (input) => {
    handled.push(input);
    return accept(input);
  });
  const send = (input: unknown) => mediator.send(Post, input as never, context);
  beforeEach(() => {
    handled.length = 0;
  });

  it('passes the input on as its schema reads it', async () => {
    const address = { city: '  Bern ' };
    expect(await send({ amount: 12.5, address })).toEqual(
      accept({ amount: '12.5', address: { city: 'Bern' } }),
    );
  });

  it.each<[string, unknown, { code: string; field: string }]>([
    ['a missing field', {}, { code: 'missing_field', field: 'amount' }],
    ['a field that nobody knows', { amount: '1', colour: 'red' }, { code: 'unknown_field', field: 'colour' }],
    ['an amount of zero', { amount: '0.00' }, { code: 'amount_not_positive', field: 'amount' }],
    ['an amount that is none', { amount: 'much' }, { code: 'invalid_amount', field: 'amount' }],
    ['an amount of the wrong type', { amount: [1] }, { code: 'invalid_type', field: 'amount' }],
    ['an inner field', { amount: '1', address: {} }, { code: 'missing_field', field: 'address.city' }],
    [
      'text that is too long',
      { amount: '1', address: { city: 'Berlin' } },
      { code: 'too_long', field: 'address.city' },
    ],
    [
      'text that is blank',
      { amount: '1', address: { city: '  ' } },
      { code: 'too_short', field: 'address.city' },
    ],
    ['no input at all', undefined, { code: 'missing_field', field: '' }],
    ['something else', 'text', { code: 'invalid_type', field: '' }],
  ])('refuses %s with a code and the field, and the handler is not reached', async (_, input, expected) => {
    const decision = await send(input);
    expect(decision).toEqual({ ok: false, rejection: { ...expected, detail: expect.stringMatching(/\.$/) } });
    expect(handled).toEqual([]);
  });
});

describe('the log line', () => {
  let lines: { level: string; facts: object; message: string }[];
  let enabled: Set<string>;
  const noteAt = (level: string) => (facts: object, message: string) =>
    void lines.push({ level, facts, message });
  const logger: Logger = {
    isLevelEnabled: (level) => enabled.has(level),
    info: noteAt('info'),
    debug: noteAt('debug'),
  };
  beforeEach(() => {
    lines = [];
    enabled = new Set(['info', 'debug']);
  });

  /** Sends a message whose handler decides so, and gives what was logged. */
  async function logged(message: typeof Greet, decision: Decision<unknown>) {
    const handler = (async () => decision) as Handler<Input, string>;
    const mediator = new Mediator([logging(logger), validation]).register(message, handler);
    const answer = await mediator.send(message, { name: 'secret' }, context);
    expect(JSON.stringify(lines)).not.toMatch(/secret|much money/);
    return { answer, lines };
  }

  const facts = { correlation_id: 'correlation-1', duration_ms: expect.any(Number) };

  it('of a command names stream and revision, and nothing of the input or the result', async () => {
    const value = {
      stream: 'wallet-1',
      revision: 7,
      position: 9n.toString(),
      account: { owner: 'much money' },
    };
    const { answer } = await logged(Greet, accept(value));
    expect(answer).toEqual(accept(value));
    expect(lines).toEqual([
      {
        level: 'info',
        message: 'done',
        facts: { ...facts, message: 'Greet', stream: 'wallet-1', revision: 7 },
      },
    ]);
  });

  it('of a refused command names the code, and no figures', async () => {
    await logged(Greet, reject('too_early', 'You have much money.', { facts: { balance: 'much money' } }));
    expect(lines).toEqual([
      { level: 'info', message: 'refused', facts: { ...facts, message: 'Greet', code: 'too_early' } },
    ]);
  });

  it('of a query is for debugging', async () => {
    await logged(Look, accept({ owner: 'much money' }));
    await logged(Look, reject('not_found', 'There is none.'));
    expect(lines).toEqual([
      { level: 'debug', message: 'done', facts: { ...facts, message: 'Look' } },
      { level: 'debug', message: 'refused', facts: { ...facts, message: 'Look', code: 'not_found' } },
    ]);
  });

  it('of input that was refused names the code', async () => {
    const mediator = new Mediator([logging(logger), validation]).register(Greet, answering('hello'));
    await mediator.send(Greet, { name: 'a secret name' }, context);
    expect(lines).toMatchObject([{ message: 'refused', facts: { code: 'too_long' } }]);
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  it('is left out where its level is off, and the message is answered all the same', async () => {
    enabled = new Set(['info']);
    expect((await logged(Look, accept('seen'))).answer).toEqual(accept('seen'));
    expect(lines).toEqual([]);
    enabled = new Set();
    expect((await logged(Greet, accept('hello'))).answer).toEqual(accept('hello'));
    expect(lines).toEqual([]);
  });

  it('is not written for a message whose handler threw: whoever asked reports that', async () => {
    const mediator = new Mediator([logging(logger)]).register(Greet, () =>
      Promise.reject(new Error('no store')),
    );
    await expect(mediator.send(Greet, { name: 'ann' }, context)).rejects.toThrow('no store');
    expect(lines).toEqual([]);
  });
});
