/** What a client asks before anything else: who is in the cluster, and what the server can do. */

import type { ClusterInfo, MemberInfo } from '@eventstore/db-client/generated/gossip_pb.js';
import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import type { SupportedMethod, SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb.js';
import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import type { Empty } from '@eventstore/db-client/generated/shared_pb.js';
import type { handleUnaryCall } from '@grpc/grpc-js';
import { unary } from './call-helpers.ts';
import type { DoubleContext } from './double-context.ts';
import { unimplemented } from './rpc-errors.ts';
import { toUuid } from './wire.ts';

type VNodeState = Parameters<MemberInfo['setState']>[0];

const INSTANCE_ID = '5b1c2b33-1f7f-4f55-8d11-2f6a6c3a0d01';
const LEADER_ID = '5b1c2b33-1f7f-4f55-8d11-2f6a6c3a0d02';
const TICKS_PER_MILLISECOND = 10_000;

function toMember(host: string, port: number, state: VNodeState, instanceId: string): MemberInfo {
  const endPoint = new gossip.EndPoint();
  endPoint.setAddress(host);
  endPoint.setPort(port);
  const member = new gossip.MemberInfo();
  member.setInstanceId(toUuid(instanceId, false));
  member.setTimeStamp(String(Date.now() * TICKS_PER_MILLISECOND));
  member.setState(state);
  member.setIsAlive(true);
  member.setHttpEndPoint(endPoint);
  return member;
}

/** The node itself and, when it follows one, its leader. Server: src/EventStore.Core/Services/Transport/Grpc/Gossip.Read.cs */
export function gossipHandler(
  context: DoubleContext,
  port: () => number,
): handleUnaryCall<Empty, ClusterInfo> {
  return unary(() => {
    const { isFollowing, leader } = context.faults;
    const { FOLLOWER, LEADER } = gossip.MemberInfo.VNodeState;
    const cluster = new gossip.ClusterInfo();
    cluster.addMembers(toMember('127.0.0.1', port(), isFollowing ? FOLLOWER : LEADER, INSTANCE_ID));
    if (leader !== undefined) cluster.addMembers(toMember(leader.host, leader.port, LEADER, LEADER_ID));
    return cluster;
  });
}

const PREFIX = 'event_store.client.';

// Server: src/EventStore.Core/Services/Transport/Grpc/ServerFeatures.cs: all methods of all client services, lower case.
const METHODS: Readonly<Record<string, readonly string[]>> = {
  'streams.streams': ['read', 'append', 'delete', 'tombstone', 'batchappend'],
  'persistent_subscriptions.persistentsubscriptions': [
    'create',
    'update',
    'delete',
    'read',
    'getinfo',
    'replayparked',
    'list',
    'restartsubsystem',
  ],
  'gossip.gossip': ['read'],
  'monitoring.monitoring': ['stats'],
  'operations.operations': [
    'startscavenge',
    'stopscavenge',
    'shutdown',
    'mergeindexes',
    'resignnode',
    'setnodepriority',
    'restartpersistentsubscriptions',
  ],
  'projections.projections': [
    'create',
    'update',
    'delete',
    'statistics',
    'disable',
    'enable',
    'reset',
    'state',
    'result',
    'restartsubsystem',
  ],
  'users.users': [
    'create',
    'update',
    'delete',
    'disable',
    'enable',
    'details',
    'changepassword',
    'resetpassword',
  ],
  'server_features.serverfeatures': ['getsupportedmethods'],
};

function featuresOf(service: string, method: string, major: number): string[] {
  if (service.startsWith('persistent_subscriptions')) return major >= 21 ? ['stream', 'all'] : ['stream'];
  if (service === 'streams.streams' && method === 'read') return ['position', 'events'];
  if (service === 'streams.streams' && method === 'batchappend') return ['deadline_duration'];
  return service === 'projections.projections' && method === 'create' ? ['track_emitted_streams'] : [];
}

/** What each service could do before 22.0 is from memory: no batch appends before 21.10, no information on groups before 22. */
function existsIn(method: string, major: number): boolean {
  if (method === 'batchappend') return major >= 21;
  return major >= 22 || !['getinfo', 'replayparked', 'list'].includes(method);
}

function supportedMethods(version: string): SupportedMethod[] {
  const major = Number(version.split('.')[0]);
  return Object.entries(METHODS).flatMap(([service, methods]) =>
    methods
      .filter((method) => existsIn(method, major))
      .map((method) => {
        const supported = new features.SupportedMethod();
        supported.setServiceName(`${PREFIX}${service}`);
        supported.setMethodName(method);
        supported.setFeaturesList(featuresOf(service, method, major));
        return supported;
      }),
  );
}

/** Servers before 21.10 do not know the call at all (from memory; the client takes UNIMPLEMENTED for "unknown version"). */
export function serverFeaturesHandler(
  context: DoubleContext,
  version: string,
): handleUnaryCall<Empty, SupportedMethods> {
  return unary(() => {
    const refusal = context.faults.unavailable();
    if (refusal !== undefined) throw refusal;
    if (Number(version.split('.')[0]) < 21) throw unimplemented('ServerFeatures/GetSupportedMethods');
    const response = new features.SupportedMethods();
    response.setEventStoreServerVersion(version);
    response.setMethodsList(supportedMethods(version));
    return response;
  });
}
