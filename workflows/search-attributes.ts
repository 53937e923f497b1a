/** The search attributes that a run keeps up to date; at most three upserts a run. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { Phase } from '../src/domain/ingestion.ts';
import { searchAttributeNames } from '../src/domain/run.ts';

const { KEYWORD } = SearchAttributeType;
const documentStatus = defineSearchAttributeKey(searchAttributeNames.documentStatus, KEYWORD);
export const parseJobId = defineSearchAttributeKey(searchAttributeNames.parseJobId, KEYWORD);
export const failureKind = defineSearchAttributeKey(searchAttributeNames.failureKind, KEYWORD);

export function phase(value: Phase) {
  return { key: documentStatus, value };
}
