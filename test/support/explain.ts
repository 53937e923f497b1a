/** A pool that writes down the plan of every statement it runs, as that statement's own transaction sees it. */
import type { Pool, Queryable } from '../../src/db/pool.ts';

interface PlanNode {
  readonly 'Index Name'?: string;
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

export interface ExplainingPool {
  readonly pool: Pool;
  /** How each relation was read, such as `vectors_384 by vectors_384_nearest`, in all statements since the last call. */
  accesses(): readonly string[];
}

export function explainingPool(pool: Pool): ExplainingPool {
  let plans: PlanNode[] = [];
  const connect = async () => {
    const client = await pool.connect();
    return new Proxy(client, {
      get(target, key) {
        if (key !== 'query') return bound(target, key);
        return async (text: string, values?: unknown[]) => {
          if (/^\s*(select|with)\b/.test(text)) plans.push(await explain(target, text, values));
          return target.query(text, values);
        };
      },
    });
  };
  return {
    pool: new Proxy(pool, {
      get: (target, key) => (key === 'connect' ? connect : bound(target, key)),
    }),
    accesses: () => {
      const seen = plans.flatMap((plan) => relationAccesses(plan));
      plans = [];
      return [...new Set(seen)];
    },
  };
}

function bound<Target extends object>(target: Target, key: string | symbol): unknown {
  const value: unknown = Reflect.get(target, key);
  return typeof value === 'function' ? value.bind(target) : value;
}

export async function explain(
  q: Queryable,
  text: string,
  values: unknown[] = [],
): Promise<PlanNode> {
  const { rows } = await q.query<{ 'QUERY PLAN': readonly { readonly Plan: PlanNode }[] }>(
    `explain (format json) ${text}`,
    values,
  );
  const plan = rows[0]?.['QUERY PLAN'][0]?.Plan;
  if (!plan) throw new Error('no plan');
  return plan;
}

/** `Index Scan` names its relation; a bitmap scan names the index below the relation. */
export function relationAccesses(node: PlanNode, relation = ''): readonly string[] {
  const name = node['Relation Name'] ?? relation;
  const index = node['Index Name'];
  const isScan = node['Node Type'].endsWith('Scan') && name !== '';
  const own =
    isScan && node['Node Type'] !== 'Bitmap Heap Scan' ? [`${name} by ${index ?? 'scan'}`] : [];
  return [...own, ...(node.Plans ?? []).flatMap((child) => relationAccesses(child, name))];
}
