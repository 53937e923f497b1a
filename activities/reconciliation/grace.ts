/** How long something must have stood as it does before it counts as a finding. */
import { type FindingKind, findingKinds } from '../../src/domain/reconciliation.ts';
import type { Scene } from './finding.ts';

/** The database's clock and ours may differ, and what an earlier pass has just written counts too. */
const WAIVED_MS = -60_000;

/** What has not changed since then is old enough. */
export function graceBegins(kind: FindingKind, { now, afterRestore }: Scene): Date {
  return new Date(now.getTime() - (afterRestore ? WAIVED_MS : findingKinds[kind].grace.ms));
}

export function isOver(kind: FindingKind, since: Date, scene: Scene): boolean {
  return since <= graceBegins(kind, scene);
}
