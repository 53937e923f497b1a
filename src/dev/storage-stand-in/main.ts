/** Child entry of the storage stand-in. */
import { runStandIn } from '../run-stand-in.ts';
import { startStorageStandIn, storageStandInOptions } from './storage-stand-in.ts';

await runStandIn((options) => startStorageStandIn(storageStandInOptions.parse(options)));
