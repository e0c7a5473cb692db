/** The codec: current events pass, old versions are lifted step by step, unknown ones are never skipped in silence. */
import { describe, expect, it } from 'vitest';
import { createBankCodec } from '../../src/application/bank-codec.ts';
import { createCodec } from '../../src/event-sourcing/codec.ts';
import type { RecordedEvent } from '../../src/event-sourcing/event-store.ts';
import { newEvent } from '../support/event-builders.ts';

type Painted = { readonly type: 'PaintedV3'; readonly data: { readonly red: number; readonly by: string } };

const codec = createCodec<Painted>(['PaintedV3'], {
  PaintedV1: (data: { shade: string }) => ({ type: 'PaintedV2', data: { red: Number(data.shade) } }),
  PaintedV2: (data: { red: number }) => ({ type: 'PaintedV3', data: { ...data, by: 'nobody' } }),
  LoopV1: () => ({ type: 'LoopV2', data: {} }),
  LoopV2: () => ({ type: 'LoopV1', data: {} }),
});

function recorded(type: string, data: object): RecordedEvent {
  return {
    ...newEvent({ type, data }),
    stream: 'wall-1',
    revision: 4,
    position: 9n,
    recordedAt: '2026-01-02T03:04:05.678Z',
  };
}

describe('the codec', () => {
  it('writes an event as it is', () => {
    const event: Painted = { type: 'PaintedV3', data: { red: 1, by: 'ann' } };
    expect(codec.encode(event)).toEqual(event);
  });

  it('reads a current event as it is', () => {
    const event = recorded('PaintedV3', { red: 1, by: 'ann' });
    expect(codec.decode(event)).toEqual(event);
  });

  it.each([
    ['one step', 'PaintedV2', { red: 7 }],
    ['two steps', 'PaintedV1', { shade: '7' }],
  ])('lifts an old event over %s, and keeps everything around the data', (_, type, data) => {
    const event = recorded(type, data);
    expect(codec.decode(event)).toEqual({ ...event, type: 'PaintedV3', data: { red: 7, by: 'nobody' } });
  });

  it.each(['PaintedV4', 'painted', '', 'constructor', 'toString', '__proto__', 'hasOwnProperty'])(
    'refuses the type "%s", which it does not know, with its place',
    (type) => {
      const inner = { type: 'PaintedV3', data: { red: 1, by: 'mallory' } };
      expect(() => codec.decode(recorded(type, inner))).toThrow(
        expect.objectContaining({
          name: 'StoreError',
          code: 'corrupt',
          temporary: false,
          place: { stream: 'wall-1', revision: 4 },
          message: expect.stringMatching(
            /revision 4 of wall-1, is an event type that this program does not know/,
          ),
        }),
      );
    },
  );

  it('refuses an old type whose steps lead nowhere, instead of going round for ever', () => {
    expect(() => codec.decode(recorded('LoopV1', {}))).toThrow(expect.objectContaining({ code: 'corrupt' }));
  });

  it('without upcasters knows the current types only', () => {
    const strict = createCodec<Painted>(['PaintedV3']);
    expect(() => strict.decode(recorded('PaintedV2', {}))).toThrow(
      expect.objectContaining({ code: 'corrupt' }),
    );
  });
});

describe("the bank's codec", () => {
  it('reads a V1 creation as a checking account in the default currency', () => {
    const event = recorded('BankAccountCreatedDomainEventV1', { owner_id: 'p-1', overdraft_limit: 250.5 });
    expect(createBankCodec('EUR').decode(event)).toEqual({
      ...event,
      type: 'BankAccountCreatedDomainEventV2',
      data: { owner_id: 'p-1', overdraft_limit: '250.50', account_type: 'CHECKING', currency: 'EUR' },
    });
  });
});
