/** A bank in memory whose clock a test sets, on any number of nodes that share nothing but the stores. */
import { randomUUID } from 'node:crypto';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { openSqliteReadModelStore } from '../../src/adapters/sqlite/read-model-store.ts';
import { bankAccountType, type ChangingBank } from '../../src/application/bank.ts';
import { createBankCodec } from '../../src/application/bank-codec.ts';
import { type BankAccount, type BankAccountEvent, bankAccountStream } from '../../src/domain/bank-account.ts';
import type { BankEvent } from '../../src/domain/bank-event.ts';
import type { Rejection } from '../../src/domain/decision.ts';
import type { DomainEvent, EventCodec } from '../../src/event-sourcing/codec.ts';
import { Repository } from '../../src/event-sourcing/repository.ts';
import { projections } from '../../src/projections/index.ts';
import { collect, mustAppend, newEvent, newMetadata } from './event-builders.ts';
import { RunningProjector } from './running-projector.ts';
import { WatchedEventStore } from './watched-event-store.ts';

export class ClockedBank {
  readonly store = new WatchedEventStore(openSqliteEventStore({ kind: 'memory' }));
  readonly readModels = openSqliteReadModelStore({ kind: 'memory' });
  /** RFC 3339 UTC. */
  now = '2026-02-01T00:00:00.000Z';
  readonly #codec = createBankCodec('USD');

  /** One more process of the same bank. */
  node(): ChangingBank {
    const now = () => new Date(this.now);
    const codec = this.#codec as EventCodec<DomainEvent> as EventCodec<BankAccountEvent>;
    const accounts = new Repository<BankAccount, BankAccountEvent, Rejection>(bankAccountType, codec, {
      store: this.store,
      newId: randomUUID,
      now,
    });
    const { store: events, readModels } = this;
    return { accounts, events, readModels, codec: this.#codec, newId: randomUUID, now };
  }

  /** Puts on record what happened to a new account at a time. */
  async account(at: string, ...events: readonly BankAccountEvent[]): Promise<string> {
    const id = randomUUID();
    const metadata = newMetadata({ aggregate_type: 'BankAccount', aggregate_id: id, timestamp: at });
    const recorded = events.map((event) => newEvent({ ...event, metadata }));
    await mustAppend(this.store, bankAccountStream(id), recorded, 'no_stream');
    return id;
  }

  /** Brings the read models to the end of the log. */
  async project(): Promise<void> {
    await this.readModels.prepare(projections, this.store.storeId);
    const projector = new RunningProjector<BankEvent>({
      reader: this.store,
      store: this.readModels,
      codec: this.#codec,
      projections,
      streamPrefixes: ['person-', 'bank-account-', 'transfer-'],
    });
    await projector.caughtUp();
    await projector.stop();
  }

  /** What the stream of an account says, oldest first. */
  async events(id: string): Promise<BankAccountEvent[]> {
    const recorded = await collect(this.store.inner.readStream(bankAccountStream(id)));
    return recorded.map((event) => this.#codec.decode(event) as BankAccountEvent);
  }

  async close(): Promise<void> {
    await this.readModels.close();
    await this.store.close();
  }
}
