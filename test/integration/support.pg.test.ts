import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { connectToTemporal, startTimeSkipping } from '../support/temporal.ts';
import { searchAttributeNames } from '../../src/domain/run.ts';
describe('x', () => {
  it('db', async () => {
    const t=performance.now();
    const dbs = await Promise.all([1,2,3].map(() => createTestDatabase()));
    console.log('3 dbs', performance.now()-t);
    console.log((await dbs[0]!.pool.query('select count(*) from intake.statuses')).rows);
    for (const d of dbs) await d.close();
    console.log('closed', performance.now()-t);
    const leak = await createTestDatabase();
    await leak.pool.connect();
    await expect(leak.close()).rejects.toThrow('connections');
    await leak.pool.end().catch(()=>{});
  });
  it('temporal', async () => {
    const t=performance.now();
    const e = await connectToTemporal(); console.log('existing', performance.now()-t);
    await e.teardown();
    const s = await startTimeSkipping(); console.log('skip', performance.now()-t);
    console.log(await s.connection.operatorService.addSearchAttributes({namespace:'default',searchAttributes:{DocumentStatus:2}}).catch((x:unknown)=>String(x)));
    await s.teardown(); console.log('torn', performance.now()-t);
  });
});
