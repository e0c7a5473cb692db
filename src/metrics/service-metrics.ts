/** All metrics of one service, and the page that shows them. `docs/metrics.md` explains each. */
import { Gauge, Registry } from 'prom-client';
import type { Behaviour } from '../application/mediator.ts';
import type { RepositoryObserver } from '../event-sourcing/repository.ts';
import type { SnapshotObserver } from '../event-sourcing/snapshots/snapshot-keeper.ts';
import type { HttpMetrics, HttpObserver, MetricsPage } from '../http/metrics.ts';
import { httpMetrics } from './http-metrics.ts';
import { messageMetrics } from './message-metrics.ts';
import { processMetrics } from './process-metrics.ts';
import { snapshotMetrics } from './snapshot-metrics.ts';
import { StoreMetrics, type StoreSources } from './store-metrics.ts';
import { type WorkerReport, workerMetrics } from './worker-metrics.ts';
import { writeMetrics } from './write-metrics.ts';

/** Scrapes within this time, in milliseconds, get the same page, so that many scrapers cost no more than one. */
const PAGE_FRESH_MS = 1_000;

export interface ServiceInfo {
  readonly version: string;
  readonly role: string;
  /** Names this process's machine or container. */
  readonly node: string;
}

interface LastPage {
  readonly page: Promise<MetricsPage>;
  /** When it was ready, on the process's monotonic clock. */
  madeAt?: number;
}

export class ServiceMetrics implements HttpMetrics {
  /** Hears of every HTTP request. */
  readonly requests: HttpObserver;
  /** The step around every command and query. */
  readonly messages: Behaviour;
  /** Observes the repository of one aggregate, such as `BankAccount`. */
  readonly repository: (aggregate: string) => RepositoryObserver;
  /** Observes the snapshots of one kind of aggregate. */
  readonly snapshots: (aggregate: string) => SnapshotObserver;
  /** Takes the reports of the worker in this process. */
  readonly onWorkerReport: (report: WorkerReport) => void;
  readonly #registry = new Registry();
  readonly #process = processMetrics();
  #stores: StoreMetrics | undefined;
  #last: LastPage | undefined;

  constructor(info: ServiceInfo) {
    const buildInfo = new Gauge({
      name: 'openbank_build_info',
      help: 'Always 1; the labels say what is running here.',
      labelNames: ['version', 'role', 'node'],
      registers: [this.#registry],
    });
    buildInfo.set({ ...info }, 1);
    this.requests = httpMetrics(this.#registry);
    this.messages = messageMetrics(this.#registry);
    this.repository = writeMetrics(this.#registry);
    this.snapshots = snapshotMetrics(this.#registry);
    this.onWorkerReport = workerMetrics(this.#registry);
  }

  /** Adds the gauges over the stores; to be called once, when they are open. */
  watch(sources: StoreSources): void {
    this.#stores = new StoreMetrics(this.#registry, sources);
  }

  /** Every metric as it is, or was a second ago. It answers also when the stores do not. */
  page(): Promise<MetricsPage> {
    const { page, madeAt } = this.#last ?? {};
    // Without a time it is still being made.
    if (page && (madeAt === undefined || performance.now() - madeAt < PAGE_FRESH_MS)) return page;
    const last: LastPage = { page: this.#makePage() };
    const made = () => {
      last.madeAt = performance.now();
    };
    last.page.then(made, made);
    this.#last = last;
    return last.page;
  }

  async #makePage(): Promise<MetricsPage> {
    await this.#stores?.refresh();
    const pages = await Promise.all([this.#registry.metrics(), this.#process.metrics()]);
    return { contentType: this.#registry.contentType, text: pages.join('\n') };
  }
}
