/** Folds projections as they stood at a time for a running service, one at a time, and keeps the newest for a while. */
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import { ScratchSpace } from '../adapters/files/scratch-space.ts';
import type { RequestContext } from '../application/mediator.ts';
import {
  decodeCursor,
  encodeCursor,
  invalidCursor,
  type Page,
  type PageRequest,
} from '../application/queries/paging.ts';
import { pastInstant } from '../application/queries/point-in-time.ts';
import type { Config } from '../config.ts';
import { accept, type Decision, reject } from '../domain/decision.ts';
import type { StoredDocument } from '../event-sourcing/read-model-store.ts';
import { StoreError } from '../event-sourcing/store-error.ts';
import type {
  PastDocument,
  PastProjection,
  PastProjectionRequest,
  PastProjectionService,
} from '../http/schemas/past-projections.ts';
import { newId } from '../new-id.ts';
import {
  type OpenedDocuments,
  openProjected,
  ownProjection,
  type ProjectedStore,
  type ProjectionPlan,
  projectionNames,
} from '../store-tools/run-projection.ts';
import { PastProjectionFold } from './past-projection-fold.ts';

export type PastProjectionsConfig = ProjectedStore & Pick<Config, 'readModels'>;

/** Those that are kept, one that is under way among them. */
const KEPT_MAX = 4;

/** How long one is kept when it has ended, in milliseconds. */
const KEPT_MS = 60 * 60 * 1_000;

/** What must be left on the disk of the events, in bytes: their write-ahead log grows so large before it is moved. */
const ROOM_LEFT = 64 * 1024 * 1024;

/** Also a part of the names of files: whoever lists the data directory sees what they are for. */
const NAME = 'past-projections';

const NOT_REMOVED = 'files of past projections could not be removed';

/** One that is kept. */
interface Kept {
  readonly plan: ProjectionPlan;
  readonly logger: Logger;
  shown: PastProjection;
  directory?: string;
  /** While it is under way. */
  fold?: PastProjectionFold;
  /** When it is finished. */
  documents?: OpenedDocuments;
  expiry?: NodeJS.Timeout;
  removed: boolean;
  /** Settles when it has ended. */
  over: Promise<void>;
}

type End = Partial<PastProjection>;

export class PastProjections implements PastProjectionService {
  readonly #config: PastProjectionsConfig;
  readonly #logger: Logger;
  readonly #keptMs: number;
  readonly #space: ScratchSpace;
  /** By id, the oldest first. */
  readonly #kept = new Map<string, Kept>();
  #underWay: Kept | undefined;

  /** @param keptMs how long one is kept when it has ended */
  constructor(config: PastProjectionsConfig, logger: Logger, keptMs = KEPT_MS) {
    this.#config = config;
    this.#logger = logger;
    this.#keptMs = keptMs;
    this.#space = new ScratchSpace(placeOf(config), NAME);
  }

  /** Removes the files of services that did not come to their end. */
  async removeLeftovers(): Promise<void> {
    if (this.#config.eventStore.kind !== 'memory') await this.#space.removeLeftovers();
  }

  start(
    { projection, at: text }: PastProjectionRequest,
    { correlation_id }: Pick<RequestContext, 'correlation_id'>,
  ): Decision<PastProjection> {
    const plan = ownProjection(projection);
    if (!plan) return projectionNotFound(projection);
    const at = text === undefined ? accept(null) : pastInstant({ now: () => new Date() }, text, 'at');
    if (!at.ok) return at;
    if (this.#config.eventStore.kind === 'memory') {
      return reject('not_supported', 'A store in memory cannot be read on another thread.');
    }
    if (this.#underWay) {
      const { id } = this.#underWay.shown;
      return reject('past_projection_in_progress', `${id} is under way.`, { facts: { id } });
    }
    for (const id of [...this.#kept.keys()].slice(0, -(KEPT_MAX - 1))) this.#forget(id);
    const shown = begun(plan, at.value);
    const logger = this.#logger.child({ past_projection: shown.id, projection, correlation_id });
    const kept: Kept = { plan, logger, shown, removed: false, over: Promise.resolve() };
    this.#kept.set(shown.id, kept);
    this.#underWay = kept;
    kept.over = this.#carryOut(kept);
    return accept(shown);
  }

  list(): PastProjection[] {
    return [...this.#kept.values()].map(({ shown }) => shown).reverse();
  }

  get(id: string): Decision<PastProjection> {
    const kept = this.#kept.get(id);
    return kept ? accept(kept.shown) : notFound(id);
  }

  async documents(id: string, { limit, cursor }: PageRequest): Promise<Decision<Page<PastDocument>>> {
    const opened = this.#documentsOf(id);
    if (!opened.ok) return opened;
    const list = `${NAME}/${id}`;
    const after = cursor === undefined ? undefined : decodeCursor(list, cursor);
    if (after === null) return invalidCursor();
    const found = await opened.value.page(limit + 1, after);
    const shown = found.slice(0, limit);
    const last = shown.at(-1);
    return accept({
      items: shown.map(toItem),
      ...(last && found.length > limit ? { next_cursor: encodeCursor(list, last) } : {}),
    });
  }

  async document(id: string, key: string): Promise<Decision<PastDocument>> {
    const opened = this.#documentsOf(id);
    if (!opened.ok) return opened;
    const found = await opened.value.get(key);
    return found ? accept(toItem(found)) : reject('document_not_found', `There was no document ${key} then.`);
  }

  async remove(id: string): Promise<Decision<undefined>> {
    const kept = this.#kept.get(id);
    if (!kept) return notFound(id);
    this.#kept.delete(id);
    kept.removed = true;
    clearTimeout(kept.expiry);
    await kept.fold?.end();
    await kept.over;
    await kept.documents?.close();
    await this.#removeFiles(kept);
    return accept(undefined);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#kept.keys()].map((id) => this.remove(id)));
    await this.#space.remove().catch((err: unknown) => this.#logger.error({ err }, NOT_REMOVED));
  }

  /** Nobody waits for it. */
  #forget(id: string): void {
    this.remove(id).catch((err: unknown) => this.#logger.error({ err, past_projection: id }, NOT_REMOVED));
  }

  #documentsOf(id: string): Decision<OpenedDocuments> {
    const kept = this.#kept.get(id);
    if (!kept) return notFound(id);
    if (kept.documents) return accept(kept.documents);
    const { state } = kept.shown;
    return reject('past_projection_not_finished', `${id} is ${state}.`, { facts: { state } });
  }

  /** From the beginning to whatever end, which is told when nothing is left of it that is in the way. Never rejects. */
  async #carryOut(kept: Kept): Promise<void> {
    const end = await this.#fold(kept).catch((error: unknown) => failure(kept, error));
    if (!kept.documents) await this.#removeFiles(kept);
    this.#underWay = undefined;
    if (kept.removed) return;
    const now = Date.now();
    kept.shown = {
      ...kept.shown,
      ...end,
      finished_at: new Date(now).toISOString(),
      expires_at: new Date(now + this.#keptMs).toISOString(),
    };
    kept.expiry = setTimeout(() => this.#forget(kept.shown.id), this.#keptMs).unref();
  }

  async #fold(kept: Kept): Promise<End> {
    const { eventStore, archiveDir, defaultCurrency } = this.#config;
    const { id, projection, at } = kept.shown;
    kept.directory = await this.#space.makeDirectory(id);
    if (kept.removed) return {};
    const task = {
      config: { eventStore, archiveDir, defaultCurrency },
      projection,
      time: at ?? undefined,
      directory: kept.directory,
      // Elsewhere nobody but this is in need of it.
      roomLeft: eventStore.kind === 'file' ? ROOM_LEFT : 0,
    };
    kept.fold = new PastProjectionFold(task, ({ events, percent }) => {
      kept.shown = { ...kept.shown, events, percent };
    });
    const outcome = await kept.fold.outcome;
    delete kept.fold;
    if (kept.removed) return {};
    switch (outcome.kind) {
      case 'done': {
        kept.documents = await openProjected(kept.plan, kept.directory);
        const { kind: _kind, ...figures } = outcome;
        const { events, documents, dead_letters } = figures;
        kept.logger.info({ at, events, documents, dead_letters }, 'past projection folded');
        return { ...figures, state: 'FINISHED', percent: 100 };
      }
      case 'failed':
        return failure(kept, new StoreError(outcome.code, outcome.message));
      case 'died':
        return failure(kept, outcome.error);
      case 'ended':
        return failure(kept, new Error('the thread ended by itself'));
    }
  }

  async #removeFiles({ directory, logger }: Kept): Promise<void> {
    if (directory === undefined) return;
    await rm(directory, { recursive: true, force: true }).catch((err: unknown) =>
      logger.error({ err, directory }, NOT_REMOVED),
    );
  }
}

/** What is wrong with a store is the operator's to know; what is wrong with the program stands in the log. */
function failure({ logger }: Kept, err: unknown): End {
  const error =
    err instanceof StoreError
      ? { code: err.code, detail: err.message }
      : { code: 'internal_error', detail: 'The fold broke off; the log says how.' };
  logger.error({ err }, 'past projection failed');
  return { state: 'FAILED', error };
}

/** Where the embedded store keeps its files; a service without any has nothing but the system's place. */
function placeOf({ eventStore, readModels }: PastProjectionsConfig): string {
  const file = [eventStore, readModels].find((location) => location.kind === 'file');
  return file ? dirname(file.path) : tmpdir();
}

function begun({ projection: { name, version } }: ProjectionPlan, at: string | null): PastProjection {
  return {
    id: newId(),
    projection: name,
    version,
    at,
    state: 'RUNNING',
    started_at: new Date().toISOString(),
    finished_at: null,
    expires_at: null,
    events: 0,
    percent: 0,
    documents: null,
    dead_letters: null,
    first_dead_letters: [],
    error: null,
  };
}

function toItem({ key, document, blocked }: StoredDocument): PastDocument {
  return { key, document: document ?? null, blocked };
}

function notFound(id: string) {
  return reject('past_projection_not_found', `This process keeps no past projection ${id}, or no more.`);
}

function projectionNotFound(name: string) {
  const detail = `There is no projection ${name}. There are ${projectionNames().join(', ')}.`;
  return reject('projection_not_found', detail, { field: 'projection' });
}
