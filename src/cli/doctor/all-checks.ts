/** Everything that is tried, in the order in which one thing rests on another. */
import type { Check } from './check.ts';
import { apiReady } from './checks/api-ready.ts';
import { callbackUrl } from './checks/callback-url.ts';
import { callbackWebhook } from './checks/callback-webhook.ts';
import { databaseConnection } from './checks/database-connection.ts';
import { databaseExtension } from './checks/database-extension.ts';
import { databaseIndex } from './checks/database-index.ts';
import { databaseRole } from './checks/database-role.ts';
import { databaseSchema } from './checks/database-schema.ts';
import { embedderCredentials } from './checks/embedder-credentials.ts';
import { embedderTokenizer } from './checks/embedder-tokenizer.ts';
import { identityKeys } from './checks/identity-keys.ts';
import { parserCredentials } from './checks/parser-credentials.ts';
import { sameDatabase } from './checks/same-database.ts';
import { signedUpload } from './checks/signed-upload.ts';
import { storageBucket } from './checks/storage-bucket.ts';
import { storageRoundTrip } from './checks/storage-round-trip.ts';
import { temporalNamespace } from './checks/temporal-namespace.ts';
import { temporalPollers } from './checks/temporal-pollers.ts';
import { temporalSchedules } from './checks/temporal-schedules.ts';
import { temporalSearchAttributes } from './checks/temporal-search-attributes.ts';

export function allChecks(): readonly Check[] {
  return [
    databaseConnection,
    databaseExtension,
    databaseSchema,
    databaseIndex,
    databaseRole,
    storageBucket,
    ...storageRoundTrip(),
    signedUpload,
    temporalNamespace,
    temporalSearchAttributes,
    temporalPollers,
    temporalSchedules,
    parserCredentials,
    embedderCredentials,
    embedderTokenizer,
    identityKeys,
    callbackUrl,
    callbackWebhook,
    apiReady,
    sameDatabase,
  ];
}
