/** The yardstick: bare Fastify with the bank's schemas, validator and serializer, storing nothing. Argument: the port. */
import Fastify from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import { postingFields } from '../src/application/commands/record-posting.ts';
import { checkInput } from '../src/application/fields.ts';
import { accountIdFields } from '../src/application/queries/accounts.ts';
import { accountSchema } from '../src/http/schemas/accounts.ts';
import { EXAMPLE_IDS } from '../src/http/schemas/fields.ts';
import { postingSchema } from '../src/http/schemas/transactions.ts';

const NOW = '2026-01-15T09:30:00.000Z';

/** As many bytes as the service's answer has. */
const ACCOUNT: z.output<typeof accountSchema> = {
  id: EXAMPLE_IDS.account,
  owner_id: EXAMPLE_IDS.person,
  owner: 'Alice Smith',
  account_type: 'CHECKING',
  status: 'ACTIVE',
  frozen: null,
  currency: 'USD',
  balance: '1000.00',
  available_balance: '1500.00',
  held: '0.00',
  overdraft_limit: '500.00',
  transaction_limit: null,
  daily_limit: null,
  credit_rate: null,
  overdraft_rate: null,
  monthly_fee: null,
  transaction_count: 100,
  total_credits: '1000.00',
  total_debits: '0.00',
  largest_transaction: '1000.00',
  last_transaction_at: NOW,
  created_at: NOW,
  last_modified: NOW,
  revision: 100,
};

const app = Fastify().withTypeProvider<ZodTypeProvider>();
// What the service does: the zod schema checks what comes in, and JSON.stringify writes what goes out.
app.setValidatorCompiler(({ schema }) => {
  return (value: unknown) => {
    const checked = checkInput(schema as z.ZodType, value);
    return checked.ok ? { value: checked.value } : { error: new Error('The input is not valid.') };
  };
});
app.setSerializerCompiler(() => JSON.stringify);

app.get('/health/ready', async () => ({ status: 'ready' }));

app.get(
  '/api/v1/accounts/:id',
  { schema: { params: accountIdFields, response: { 200: accountSchema } } },
  async (_request, reply) => reply.send(ACCOUNT),
);

app.post(
  '/api/v1/transactions/deposit',
  { schema: { body: postingFields, response: { 201: postingSchema } } },
  async (request, reply) => {
    const { account_id, amount, description } = request.body;
    return reply.code(201).send({
      transaction_id: EXAMPLE_IDS.transaction,
      account_id,
      to_account_id: account_id,
      type: 'DEPOSIT',
      direction: 'CREDIT',
      amount,
      currency: 'USD',
      balance: '1000.00',
      description,
      recorded_at: NOW,
      revision: 100,
    });
  },
);

process.once('SIGTERM', () => process.exit(0));
await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) });
