import { IcecoreError } from '../../errors.ts';
import type { TableIdentifier } from '../../iceberg/identifier.ts';
import { asArrayOf, asObject, type JsonObject, member, optionalMember } from '../../iceberg/json-member.ts';
import { parseRequirement } from '../../iceberg/requirement-json.ts';
import { parseTableUpdate } from '../../iceberg/table-update-json.ts';
import type { TableCommit } from '../../rest-catalog/table-commits.ts';
import { type IcebergAnswer, noContent } from './answer.ts';
import { tableOf } from './path-names.ts';
import type { IcebergRequest, Route } from './route.ts';
import { asIdentifier, tableAnswer } from './table-routes.ts';

/** Commits to one table and to several (REST specification: `updateTable`, `commitTransaction`). */
export const commitRoutes: readonly Route[] = [
  {
    operation: 'updateTable',
    method: 'POST',
    path: '/v1/{prefix}/namespaces/{namespace}/tables/{table}',
    answer: updateTable,
  },
  { operation: 'commitTransaction', method: 'POST', path: '/v1/{prefix}/transactions/commit', answer: commitTransaction },
];

async function updateTable(request: IcebergRequest): Promise<IcebergAnswer> {
  const body = await request.json();
  const identifier = tableOf(request);
  const named = optionalMember(body, 'identifier', asIdentifier, 'the commit');
  if (named !== undefined && !isSame(named, identifier)) {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      'The commit names another table than the path does: give the same, or leave `identifier` out.',
    );
  }
  const table = await request.icecore.tableCommits.commit(request.call(body), commitOf(body, identifier, 'the commit'));
  return await tableAnswer(request, table);
}

async function commitTransaction(request: IcebergRequest): Promise<IcebergAnswer> {
  const body = await request.json();
  const changes = member(body, 'table-changes', asArrayOf(asObject), 'the transaction');
  const commits = changes.map((change, index) => {
    const where = `table-changes[${index}]`;
    return commitOf(change, member(change, 'identifier', asIdentifier, where), where);
  });
  await request.icecore.tableCommits.commitAll(request.call(body), commits);
  return noContent;
}

function commitOf(body: JsonObject, identifier: TableIdentifier, where: string): TableCommit {
  return {
    identifier,
    requirements: optionalMember(body, 'requirements', asArrayOf(parseRequirement), where) ?? [],
    updates: member(body, 'updates', asArrayOf(parseTableUpdate), where),
  };
}

function isSame(one: TableIdentifier, other: TableIdentifier): boolean {
  return JSON.stringify([one.namespace, one.name]) === JSON.stringify([other.namespace, other.name]);
}
