/**
 * A double of a KurrentDB/EventStoreDB server: it speaks the server's gRPC protocol to the real client and keeps its events in
 * memory. It follows the rules of the server as its sources state them (beside each rule is where), and shares no code with the
 * adapter that it tests. What it misses: clusters, scavenging, projections beyond the system's links, HTTP.
 */

import { writeFileSync } from 'node:fs';
import gossip from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import persistent from '@eventstore/db-client/generated/persistent_grpc_pb.js';
import features from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import streams from '@eventstore/db-client/generated/streams_grpc_pb.js';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { Access, type Users } from './access.ts';
import { appendHandler } from './append-service.ts';
import { batchAppendHandler } from './batch-append-service.ts';
import { createCertificate } from './certificate.ts';
import { gossipHandler, serverFeaturesHandler } from './cluster-services.ts';
import { Connections } from './connections.ts';
import { deleteHandler, tombstoneHandler } from './delete-service.ts';
import { DEFAULT_LIMITS, type DoubleContext, type Limits } from './double-context.ts';
import { EventLog } from './event-log.ts';
import { Faults } from './faults.ts';
import { Journal } from './journal.ts';
import { writeStatistics, writeUnreadable } from './odd-events.ts';
import { PersistentGroups } from './persistent-groups.ts';
import { persistentSubscriptionHandlers } from './persistent-service.ts';
import { readHandler } from './read-service.ts';
import { Store } from './store.ts';
import { canRead } from './stream-reader.ts';
import { followWithSystemProjections } from './system-projections.ts';

export interface KurrentDbDoubleOptions {
  /** Default: any free one. */
  readonly port?: number;
  /** Keeps what was acknowledged in this file, so that a double that was killed has it again. */
  readonly stateFile?: string;
  /** What the server says it is. Default: 24.10.0. */
  readonly version?: string;
  /** Passwords by login name; without it nobody needs any. */
  readonly users?: Users;
  /** Speaks TLS, and writes the certificate to trust into this file. The client sends credentials over TLS only. */
  readonly tlsCaFile?: string;
  /** Whether `$ce-`, `$et-` and `$streams` get links to every event, as with the standard projections running. */
  readonly systemProjections?: boolean;
  readonly limits?: Partial<Limits>;
  /** Checkpoints as 24.10.4 and 25.0.0 had them: a filtered subscription may name an event that it has yet to read. */
  readonly checkpointsAtUnreadEvents?: boolean;
}

export interface KurrentDbDouble {
  /** For the client: `esdb://127.0.0.1:PORT?tls=false`, or one that says which certificate to trust. */
  readonly url: string;
  readonly port: number;
  readonly faults: Faults;
  /** What is stored, to look at and to write past the client. */
  readonly store: Store;
  readonly connectionCount: number;
  /** Appends an event that calls itself JSON and is not. */
  writeUnreadable(stream: string, type: string): void;
  /** Writes what a server writes about itself every so often. */
  writeStatistics(): void;
  /** Takes out of the log what its streams no longer show, as an operator's scavenge does. */
  scavenge(): number;
  close(): Promise<void>;
}

const DEFAULT_VERSION = '24.10.0';

// Server: src/EventStore.Core/ClusterVNodeStartup.cs (MaxReceiveMessageSize = TFConsts.EffectiveMaxLogRecordSize)
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

export async function startKurrentDbDouble(options: KurrentDbDoubleOptions = {}): Promise<KurrentDbDouble> {
  const journal = options.stateFile === undefined ? undefined : new Journal(options.stateFile);
  const log = new EventLog(journal);
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': -1,
  });
  const connections = new Connections(server.createConnectionInjector(credentialsOf(options)));
  const context: DoubleContext = {
    store: new Store(log),
    faults: new Faults(() => connections.dropAll()),
    access: new Access(options.users, log),
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    checkpointsAtUnreadEvents: options.checkpointsAtUnreadEvents ?? false,
    dropConnectionOf: (call) => connections.drop(call.getPeer()),
  };
  if (options.systemProjections === true) followWithSystemProjections(context.store);
  const groups = new PersistentGroups(context.store);
  let port = 0;
  addServices(server, context, options.version ?? DEFAULT_VERSION, () => port);
  server.addService(
    persistent.PersistentSubscriptionsService,
    persistentSubscriptionHandlers(context, groups),
  );
  port = await connections.listen(options.port ?? 0);
  return {
    url: `esdb://127.0.0.1:${port}?${tlsOptionsOf(options)}`,
    port,
    faults: context.faults,
    store: context.store,
    get connectionCount() {
      return connections.count;
    },
    writeUnreadable: (stream, type) => writeUnreadable(context.store, stream, type),
    writeStatistics: () => writeStatistics(context.store, port),
    scavenge: () => log.scavenge((record) => !record.stream.startsWith('$') && !canRead(log, record)),
    close: async () => {
      groups.close();
      server.forceShutdown();
      await connections.close();
      journal?.close();
    },
  };
}

function credentialsOf({ tlsCaFile }: KurrentDbDoubleOptions): ServerCredentials {
  if (tlsCaFile === undefined) return ServerCredentials.createInsecure();
  const { certificate, privateKey } = createCertificate();
  writeFileSync(tlsCaFile, certificate);
  const pair = { cert_chain: Buffer.from(certificate), private_key: Buffer.from(privateKey) };
  return ServerCredentials.createSsl(null, [pair]);
}

function tlsOptionsOf({ tlsCaFile }: KurrentDbDoubleOptions): string {
  return tlsCaFile === undefined ? 'tls=false' : `tls=true&tlsCAFile=${tlsCaFile}`;
}

function addServices(server: Server, context: DoubleContext, version: string, port: () => number): void {
  server.addService(streams.StreamsService, {
    read: readHandler(context),
    append: appendHandler(context),
    batchAppend: batchAppendHandler(context),
    delete: deleteHandler(context),
    tombstone: tombstoneHandler(context),
  });
  server.addService(gossip.GossipService, { read: gossipHandler(context, port) });
  server.addService(features.ServerFeaturesService, {
    getSupportedMethods: serverFeaturesHandler(context, version),
  });
}
