/** What the protocol has and this client does not use, asked by hand. */

import { once } from 'node:events';
import features from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { BatchAppendResp, ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { credentials } from '@grpc/grpc-js';
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import timestamp from 'google-protobuf/google/protobuf/timestamp_pb.js';
import { expect, it, onTestFinished } from 'vitest';
import { toStreamIdentifier, toUuid } from '../support/kurrentdb-double/wire.ts';
import { collect, event, events, startDouble, startWithClient } from './double-client.ts';

const ID = '01234567-89ab-4def-8123-456789abcdef';
type StreamsClient = InstanceType<typeof streamsService.StreamsClient>;

function rawClient(port: number): StreamsClient {
  const client = new streamsService.StreamsClient(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  return client;
}

function readAllRequest(): InstanceType<typeof streams.ReadReq> {
  const all = new streams.ReadReq.Options.AllOptions();
  all.setStart(new shared.Empty());
  const uuid = new streams.ReadReq.Options.UUIDOption();
  uuid.setStructured(new shared.Empty());
  const options = new streams.ReadReq.Options();
  options.setAll(all);
  options.setCount('100');
  options.setUuidOption(uuid);
  options.setNoFilter(new shared.Empty());
  const request = new streams.ReadReq();
  request.setOptions(options);
  return request;
}

it('gives ids as two numbers when asked, and takes them so', async () => {
  const { double, client } = await startWithClient();
  await client.appendToStream('a-1', event(0, ID));
  const [response] = (await collect(rawClient(double.port).read(readAllRequest()))) as ReadResp[];
  const id = response?.getEvent()?.getEvent()?.getId()?.getStructured();
  expect(id?.getMostSignificantBits()).toBe(BigInt.asIntN(64, 0x0123456789ab4defn).toString());
  expect(id?.getLeastSignificantBits()).toBe(BigInt.asIntN(64, 0x8123456789abcdefn).toString());
});

it('filters plain reads of $all', async () => {
  const { double, client } = await startWithClient();
  await client.appendToStream('a-1', events(3));
  await client.appendToStream('b-1', events(3));
  const expression = new streams.ReadReq.Options.FilterOptions.Expression();
  expression.setRegex('^b');
  const filter = new streams.ReadReq.Options.FilterOptions();
  filter.setStreamIdentifier(expression);
  filter.setMax(2);
  const request = readAllRequest();
  request.getOptions()?.setFilter(filter);
  const responses = (await collect(rawClient(double.port).read(request))) as ReadResp[];
  const names = responses.map((response) =>
    Buffer.from(
      response.getEvent()?.getEvent()?.getStreamIdentifier()?.getStreamName_asU8() ?? [],
    ).toString(),
  );
  expect(names).toEqual(['b-1', 'b-1', 'b-1']);
});

it('says where a stream ends to clients that understand it', async () => {
  const { double, client } = await startWithClient();
  await client.appendToStream('a-1', events(5));
  const control = new streams.ReadReq.Options.ControlOption();
  control.setCompatibility(1);
  const stream = new streams.ReadReq.Options.StreamOptions();
  stream.setStreamIdentifier(toStreamIdentifier('a-1'));
  stream.setRevision('1');
  const request = readAllRequest();
  request.getOptions()?.setStream(stream);
  request.getOptions()?.setControlOption(control);
  const responses = (await collect(rawClient(double.port).read(request))) as ReadResp[];
  expect(responses.at(-1)?.getLastStreamPosition()).toBe('4');
  expect(responses).toHaveLength(4 + 1);
});

/** Opens a batch append; what it sends is all there is, or not. */
function beginAppend(client: StreamsClient, deadline: Date, isFinal: boolean): Promise<BatchAppendResp> {
  const until = new timestamp.Timestamp();
  until.fromDate(deadline);
  const options = new streams.BatchAppendReq.Options();
  options.setStreamIdentifier(toStreamIdentifier('a-1'));
  options.setAny(new empty.Empty());
  options.setDeadline(until);
  const request = new streams.BatchAppendReq();
  request.setCorrelationId(toUuid(ID, true));
  request.setOptions(options);
  request.setIsFinal(isFinal);
  const call = client.batchAppend();
  onTestFinished(() => call.cancel());
  call.on('error', () => undefined);
  call.write(request);
  return once(call, 'data').then(([response]) => response as BatchAppendResp);
}

it('gives up on a batch append that is late, or does not come to an end in time', async () => {
  const { port } = await startDouble({ limits: { writeTimeoutMs: 100 } });
  const client = rawClient(port);
  const late = await beginAppend(client, new Date(Date.now() - 1_000), true);
  const unfinished = await beginAppend(client, new Date(Date.now() + 60_000), false);
  for (const response of [late, unfinished]) {
    expect(response.getError()?.getDetails()?.getTypeName()).toBe('event_store.client.Timeout');
  }
});

it('refuses a read that does not say how it wants its ids', async () => {
  const { port } = await startDouble();
  const request = readAllRequest();
  request.getOptions()?.clearUuidOption();
  await expect(collect(rawClient(port).read(request))).rejects.toMatchObject({ code: 3 });
});

it('lists what it can do, in lower case and with features, as a server of its version', async () => {
  const { port } = await startDouble({ version: '23.10.1' });
  const client = new features.ServerFeaturesClient(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => client.close());
  const supported = await new Promise<{ version: string; features: Map<string, string[]> }>(
    (resolve, reject) => {
      client.getSupportedMethods(new shared.Empty(), (error, response) => {
        if (error !== null) return reject(error);
        const listed = response.getMethodsList();
        resolve({
          version: response.getEventStoreServerVersion(),
          features: new Map(
            listed.map((method) => [
              `${method.getServiceName()}/${method.getMethodName()}`,
              method.getFeaturesList(),
            ]),
          ),
        });
      });
    },
  );
  expect(supported.version).toBe('23.10.1');
  expect(supported.features.get('event_store.client.streams.streams/batchappend')).toEqual([
    'deadline_duration',
  ]);
  const persistent = 'event_store.client.persistent_subscriptions.persistentsubscriptions';
  expect(supported.features.get(`${persistent}/replayparked`)).toEqual(['stream', 'all']);
});
