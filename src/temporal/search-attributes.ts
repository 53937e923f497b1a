/** Search attributes of a document's run. Never encrypted, so ids, codes and phases only. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { searchAttributeNames } from '../domain/run.ts';

export const searchAttributes = {
  documentStatus: defineSearchAttributeKey(
    searchAttributeNames.documentStatus,
    SearchAttributeType.KEYWORD,
  ),
  tenantId: defineSearchAttributeKey(searchAttributeNames.tenantId, SearchAttributeType.KEYWORD),
} as const;
