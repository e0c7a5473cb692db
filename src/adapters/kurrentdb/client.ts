/**
 * The connection to KurrentDB: `@eventstore/db-client` finds the nodes, connects, reconnects, authenticates and knows
 * the protocol; two calls, reading and appending, are opened here on its channel instead of through its own functions:
 * - its appends share one map of pending answers among all clients of the process: when the stream of one breaks, the
 *   appends of all are rejected, and an answer that still comes in then is thrown as an uncaught exception;
 * - its subscriptions report checkpoints when they are parsed, not where they stand between the events;
 * - its read of the whole log takes no filter.
 */
import { existsSync, readFileSync } from 'node:fs';
import { EventStoreDBClient } from '@eventstore/db-client';
import persistentService from '@eventstore/db-client/generated/persistent_grpc_pb.js';
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import { StoreError } from '../../event-sourcing/store-error.ts';
import { type ConnectionSettings, describeHosts } from './connection-string.ts';
import { toStoreError } from './errors.ts';

/** The first version whose reads of a stream give the position of each event. */
const OLDEST_VERSION = [22, 10] as const;
const DEADLINE_MS_DEFAULT = 10_000;

/** The parts of `@grpc/grpc-js` that show in the client's types. */
export type BatchAppendCall = ReturnType<InstanceType<typeof streamsService.StreamsClient>['batchAppend']>;
export type ReadCallStream = ReturnType<InstanceType<typeof streamsService.StreamsClient>['read']>;
export type GroupCallStream = ReturnType<
  InstanceType<typeof persistentService.PersistentSubscriptionsClient>['read']
>;

type SingleNode = { endpoint: { address: string; port: number } };
type ChannelCredentials = ConstructorParameters<typeof EventStoreDBClient>[1];

export class KurrentDbClient extends EventStoreDBClient {
  /** For messages: the servers, without credentials. */
  readonly store: string;
  /** How long a single answer may take. */
  readonly deadlineMs: number;
  readonly #requiresLeader: boolean;
  #connected = false;

  constructor(settings: ConnectionSettings) {
    // The overloads tell apart what the client itself tells apart by the names of the fields.
    super(connectionOf(settings) as SingleNode, channelCredentialsOf(settings), settings.credentials);
    this.store = `KurrentDB at ${describeHosts(settings)}`;
    this.deadlineMs = settings.options.defaultDeadline ?? DEADLINE_MS_DEFAULT;
    const preference = settings.options.nodePreference ?? 'leader';
    this.#requiresLeader = preference === 'leader' && (settings.discover || settings.hosts.length > 1);
    // Asked before many calls, without a deadline, and a failure would be remembered; `checkServer` has made sure.
    this.supports = async () => true;
  }

  /** A call that carries any number of appends and their answers. */
  openBatchAppend(): Promise<BatchAppendCall> {
    const open = this.GRPCStreamCreator(streamsService.StreamsClient, 'batchAppend', (client) =>
      client.batchAppend(...this.#endless()),
    );
    return this.#opened(open());
  }

  /** A call that reads a stream or the log, or follows the log. */
  openRead(request: ReadReq): Promise<ReadCallStream> {
    const open = this.GRPCStreamCreator(streamsService.StreamsClient, 'read', (client) =>
      client.read(request, ...this.#endless()),
    );
    return this.#opened(open());
  }

  /** A call that takes part in a consumer group: messages come, answers go. */
  openGroup(): Promise<GroupCallStream> {
    const open = this.GRPCStreamCreator(persistentService.PersistentSubscriptionsClient, 'group', (client) =>
      client.read(...this.#endless()),
    );
    return this.#opened(open());
  }

  /**
   * Makes sure that a server answers and is new enough.
   * @throws StoreError `unavailable`, `unsupported` or `access_denied`
   */
  async checkServer(): Promise<void> {
    const features = await withinDeadline(this.deadlineMs, this.capabilities).catch((error) => {
      throw toStoreError(this.store, error);
    });
    const [major = 0, minor = 0] = features.serverVersion.split('.').map(Number);
    const { create, replayParked } = persistentService.PersistentSubscriptionsService;
    const isNewEnough =
      major > OLDEST_VERSION[0] || (major === OLDEST_VERSION[0] && minor >= OLDEST_VERSION[1]);
    const hasCalls =
      features.supports(streamsService.StreamsService.batchAppend) &&
      features.supports(create, 'all') &&
      features.supports(replayParked, 'all');
    if (isNewEnough && hasCalls) return;
    const version = `version ${features.serverVersion}`;
    throw new StoreError(
      'unsupported',
      `${this.store} is too old (${version}): OpenBank needs ${OLDEST_VERSION.join('.')} or newer, with batch appends and persistent subscriptions to $all.`,
    );
  }

  /** Ends all calls and the connection. */
  async close(): Promise<void> {
    await this.dispose();
    if (!this.#connected) return;
    await this.getChannel().then(
      (channel) => channel.close(),
      // There is no connection to close when none can be made.
      () => undefined,
    );
  }

  async #opened<T extends { cancel(): void }>(opening: Promise<T>): Promise<T> {
    try {
      const stream = await withinDeadline(this.deadlineMs, opening);
      this.#connected = true;
      return stream;
    } catch (error) {
      // One that is opened after all, when nobody waits for it any more, must not stay.
      opening.then(
        (stream) => stream.cancel(),
        () => undefined,
      );
      throw error;
    }
  }

  /** For calls that last as long as they last. */
  #endless(): ReturnType<KurrentDbClient['callArguments']> {
    return this.callArguments(
      { requiresLeader: this.#requiresLeader },
      { deadline: Number.POSITIVE_INFINITY },
    );
  }
}

/** Finding a cluster's leader may take longer than anybody wants to wait for one answer. */
async function withinDeadline<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function connectionOf({ hosts, discover, options }: ConnectionSettings): object {
  const { tls, tlsVerifyCert, tlsCAFile, userCertFile, userKeyFile, ...rest } = options;
  if (discover) return { ...rest, discover: hosts[0] };
  return hosts.length > 1 ? { ...rest, endpoints: hosts } : { ...rest, endpoint: hosts[0] };
}

function channelCredentialsOf({ options }: ConnectionSettings): NonNullable<ChannelCredentials> {
  if (options.tls === false) return { insecure: true };
  if ((options.userCertFile === undefined) !== (options.userKeyFile === undefined)) {
    throw new StoreError(
      'invalid_request',
      'The KurrentDB connection string is not usable: userCertFile and userKeyFile belong together.',
    );
  }
  return {
    insecure: false,
    ...(options.tlsCAFile ? { rootCertificate: certificate('tlsCAFile', options.tlsCAFile) } : {}),
    ...(options.userCertFile ? { userCertFile: certificate('userCertFile', options.userCertFile) } : {}),
    ...(options.userKeyFile ? { userKeyFile: certificate('userKeyFile', options.userKeyFile) } : {}),
    ...(options.tlsVerifyCert === false ? { verifyOptions: { rejectUnauthorized: false } } : {}),
  };
}

function certificate(option: string, path: string): Buffer {
  if (existsSync(path)) return readFileSync(path);
  throw new StoreError(
    'invalid_request',
    `The KurrentDB connection string is not usable: its ${option} names a file that is not there (${path}).`,
  );
}
