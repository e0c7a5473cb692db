/** Reads one document of a read model; one that is missing or blocked is folded from its own stream instead. */
import { accept, type Decision, reject } from '../../domain/decision.ts';
import type { DomainEvent, EventCodec } from '../../event-sourcing/codec.ts';
import { DocumentSession } from '../../event-sourcing/document-session.ts';
import { foldStream } from '../../event-sourcing/fold-stream.ts';
import type { Projection } from '../../event-sourcing/projection.ts';
import type { Document } from '../../event-sourcing/read-model-store.ts';
import type { ReadingBank } from '../bank.ts';

/** Answers the document, `undefined` when there is none. Rejects with `read_model_blocked`. */
export async function readDocument<E extends DomainEvent, D extends Document>(
  bank: ReadingBank,
  projection: Projection<E, D>,
  key: string,
): Promise<Decision<D | undefined>> {
  const stored = await bank.readModels.get<D>(projection, key);
  if (stored?.document && !stored.blocked) return accept(stored.document);
  try {
    const codec = bank.codec as unknown as EventCodec<E>;
    const folded = await foldStream(
      bank.events,
      codec,
      projection,
      key,
      new DocumentSession(bank.readModels),
    );
    if (folded || !stored) return accept(folded);
  } catch (error) {
    if (!stored?.blocked) throw error;
  }
  return reject(
    'read_model_blocked',
    `An event of ${projection.name} ${key} could not be applied; an operator has to look at the dead letters.`,
  );
}
