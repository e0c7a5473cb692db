/** What a server says about a persistent subscription. Server: PersistentSubscriptions.Info.cs, PersistentSubscriptionStats.cs */

import type { SubscriptionInfo } from '@eventstore/db-client/generated/persistent_pb.js';
import persistent from '@eventstore/db-client/generated/persistent_pb.js';
import type { Consumer } from './persistent-consumers.ts';
import type { PersistentGroup } from './persistent-group.ts';

function toConnectionInfo({
  name,
  totalItems,
  availableSlots,
  unconfirmed,
}: Consumer): SubscriptionInfo.ConnectionInfo {
  const info = new persistent.SubscriptionInfo.ConnectionInfo();
  info.setUsername('anonymous');
  info.setConnectionName(name);
  info.setTotalItems(String(totalItems));
  info.setCountSinceLastMeasurement('0');
  info.setAvailableSlots(availableSlots);
  info.setInFlightMessages(unconfirmed.size);
  return info;
}

function setSettings(info: SubscriptionInfo, { definition, source }: PersistentGroup): void {
  const { settings } = definition;
  info.setResolveLinkTos(settings.resolveLinks);
  info.setStartFrom(source.format(settings.startFrom));
  info.setMessageTimeoutMilliseconds(settings.messageTimeoutMs);
  info.setExtraStatistics(settings.extraStatistics);
  info.setMaxRetryCount(settings.maxRetryCount);
  info.setLiveBufferSize(settings.liveBufferSize);
  info.setBufferSize(settings.bufferSize);
  info.setReadBatchSize(settings.readBatchSize);
  info.setCheckPointAfterMilliseconds(settings.checkpointAfterMs);
  info.setMinCheckPointCount(settings.minCheckpointCount);
  info.setMaxCheckPointCount(settings.maxCheckpointCount);
  info.setNamedConsumerStrategy(settings.strategy);
  info.setMaxSubscriberCount(settings.maxSubscriberCount);
}

/** Rates are always 0. */
export function toSubscriptionInfo(group: PersistentGroup): SubscriptionInfo {
  const { definition, source, buffer, consumers, outstanding, parked } = group;
  const info = new persistent.SubscriptionInfo();
  info.setEventSource(definition.stream);
  info.setGroupName(definition.group);
  info.setStatus(group.status);
  info.setConnectionsList(consumers.all.map(toConnectionInfo));
  setSettings(info, group);
  info.setTotalItems(String(group.totalItems));
  info.setCountSinceLastMeasurement('0');
  const { lastCheckpoint, lastKnownPosition } = group;
  info.setLastCheckpointedEventPosition(lastCheckpoint === undefined ? '' : source.format(lastCheckpoint));
  info.setLastKnownEventPosition(lastKnownPosition === undefined ? '' : source.format(lastKnownPosition));
  info.setReadBufferCount(buffer.read.length);
  info.setLiveBufferCount(String(buffer.live.length));
  info.setRetryBufferCount(buffer.retry.length);
  info.setTotalInFlightMessages(consumers.all.reduce((sum, { unconfirmed }) => sum + unconfirmed.size, 0));
  info.setOutstandingMessagesCount(outstanding.count);
  info.setParkedMessageCount(String(parked.count));
  return info;
}
