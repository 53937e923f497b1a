/** What the parts of a run share. */
import type { Activities } from './activity-options.ts';
import type { Deadlines } from './deadlines.ts';
import type { Inbox } from './messages.ts';
import type { Story } from './story.ts';

export interface Tools {
  readonly activities: Activities;
  readonly inbox: Inbox;
  readonly story: Story;
  readonly deadlines: Deadlines;
}
