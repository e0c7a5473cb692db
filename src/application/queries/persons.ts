/** Queries about persons: one, a page of them, and what an owner has. */
import { z } from 'zod';
import { accept } from '../../domain/decision.ts';
import { type OwnerSummaryDocument, ownerSummaries } from '../../projections/owner-summaries.ts';
import { type PersonDocument, persons } from '../../projections/persons.ts';
import { type Bank, personNotFound } from '../bank.ts';
import { id } from '../fields.ts';
import { type Handler, query } from '../mediator.ts';
import { findPage, type Page, type PageRequest, pageFields } from './paging.ts';
import { readDocument } from './read-document.ts';

export const personIdFields = z.strictObject({
  id: id('The person.', '01990d2e-7c1b-7a52-9d5e-0c8f7f4b1a01'),
});

export const GetPerson = query<PersonDocument>()('GetPerson', personIdFields);

export function getPersonHandler(bank: Bank): Handler<{ id: string }, PersonDocument> {
  return async ({ id }) => {
    const found = await readDocument(bank, persons, id);
    if (!found.ok) return found;
    return found.value ? accept(found.value) : personNotFound(id, 'id');
  };
}

export const ListPersons = query<Page<PersonDocument>>()('ListPersons', z.strictObject(pageFields));

export function listPersonsHandler(bank: Bank): Handler<PageRequest, Page<PersonDocument>> {
  return (request) => findPage(bank, persons, request, { order: 'oldest_first' });
}

export const GetOwnerSummary = query<OwnerSummaryDocument>()('GetOwnerSummary', personIdFields);

export function getOwnerSummaryHandler(bank: Bank): Handler<{ id: string }, OwnerSummaryDocument> {
  return async ({ id }) => {
    const found = await readDocument(bank, ownerSummaries, id);
    if (!found.ok) return found;
    if (found.value) return accept(found.value);
    if (!(await bank.persons.exists(id))) return personNotFound(id, 'id');
    // Registered a moment ago: the projection has not seen the person, who therefore has no account in it either.
    return accept({
      owner_id: id,
      total_accounts: 0,
      active_accounts: 0,
      closed_accounts: 0,
      total_balance: {},
      last_activity: null,
    });
  };
}
