/** The `PersistentSubscriptions` service but for its `Read`. Server: src/EventStore.Core/Services/Transport/Grpc/PersistentSubscriptions.*.cs */

import type {
  CreateReq,
  CreateResp,
  DeleteReq,
  DeleteResp,
  GetInfoReq,
  GetInfoResp,
  ListReq,
  ListResp,
  ReplayParkedReq,
  ReplayParkedResp,
  UpdateReq,
  UpdateResp,
} from '@eventstore/db-client/generated/persistent_pb.js';
import persistent from '@eventstore/db-client/generated/persistent_pb.js';
import type { Empty, StreamIdentifier } from '@eventstore/db-client/generated/shared_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import type { UntypedServiceImplementation } from '@grpc/grpc-js';
import { unary } from './call-helpers.ts';
import { type AnyCall, type DoubleContext, requiresLeader } from './double-context.ts';
import type { PersistentGroup } from './persistent-group.ts';
import type { PersistentGroups } from './persistent-groups.ts';
import { toSubscriptionInfo } from './persistent-info.ts';
import { consumeHandler } from './persistent-read-service.ts';
import { ALL_STREAM, toDefinition } from './persistent-settings.ts';
import { groupDoesNotExist, groupFailed } from './rpc-errors.ts';
import { fromStreamIdentifier, fromWireNumber } from './wire.ts';

interface StreamOption {
  hasAll(): boolean;
  getStreamIdentifier(): StreamIdentifier | undefined;
}

function streamOf(options: StreamOption | undefined): string {
  return options?.hasAll() === true ? ALL_STREAM : fromStreamIdentifier(options?.getStreamIdentifier());
}

function groupsFor(groups: PersistentGroups, request: ListReq): readonly PersistentGroup[] {
  const forStream = request.getOptions()?.getListForStream();
  if (forStream === undefined) return groups.all;
  const stream = forStream.hasAll() ? ALL_STREAM : fromStreamIdentifier(forStream.getStream());
  const found = groups.all.filter(({ definition }) => definition.stream === stream);
  if (found.length === 0) throw groupDoesNotExist(stream, '');
  return found;
}

/** Only the leader has persistent subscriptions; a follower says who that is. */
function admit(context: DoubleContext, call: AnyCall): void {
  const refusal = context.faults.refusal(requiresLeader(call) || context.faults.isFollowing);
  if (refusal !== undefined) throw refusal;
}

export function persistentSubscriptionHandlers(
  context: DoubleContext,
  groups: PersistentGroups,
): UntypedServiceImplementation {
  const asOperator = (call: AnyCall): void => {
    context.access.checkOperator(call);
    admit(context, call);
  };
  const asUser = (call: AnyCall): void => {
    context.access.checkAuthenticated(call);
    admit(context, call);
  };
  return {
    create: unary<CreateReq, CreateResp>((call) => {
      asOperator(call);
      groups.create(toDefinition(call.request.getOptions()));
      return new persistent.CreateResp();
    }),
    update: unary<UpdateReq, UpdateResp>((call) => {
      asOperator(call);
      groups.update(toDefinition(call.request.getOptions()));
      return new persistent.UpdateResp();
    }),
    delete: unary<DeleteReq, DeleteResp>((call) => {
      asOperator(call);
      const options = call.request.getOptions();
      groups.delete(streamOf(options), options?.getGroupName() ?? '');
      return new persistent.DeleteResp();
    }),
    read: consumeHandler(context, groups),
    getInfo: unary<GetInfoReq, GetInfoResp>((call) => {
      asUser(call);
      const options = call.request.getOptions();
      const group = groups.get(streamOf(options), options?.getGroupName() ?? '');
      const response = new persistent.GetInfoResp();
      response.setSubscriptionInfo(toSubscriptionInfo(group));
      return response;
    }),
    list: unary<ListReq, ListResp>((call) => {
      asUser(call);
      const response = new persistent.ListResp();
      response.setSubscriptionsList(groupsFor(groups, call.request).map(toSubscriptionInfo));
      return response;
    }),
    replayParked: unary<ReplayParkedReq, ReplayParkedResp>((call) => {
      asOperator(call);
      replayParked(groups, call.request.getOptions());
      return new persistent.ReplayParkedResp();
    }),
    restartSubsystem: unary<Empty, Empty>((call) => {
      asOperator(call);
      groups.restart();
      return new shared.Empty();
    }),
  };
}

function replayParked(groups: PersistentGroups, options: ReplayParkedReq.Options | undefined): void {
  const stream = streamOf(options);
  const name = options?.getGroupName() ?? '';
  const stopAt = options?.hasStopAt() === true ? fromWireNumber(options.getStopAt()) : undefined;
  if (stopAt !== undefined && stopAt < 0) {
    throw groupFailed(stream, name, 'Cannot stop replaying parked message at a negative version.');
  }
  groups.get(stream, name).replayParked(stopAt);
}
