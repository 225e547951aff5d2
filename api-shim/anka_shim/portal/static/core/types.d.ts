/** The types of rows, context, views and components. Only the type checker reads this file. */
import type { TemplateResult, nothing } from "../vendor/lit-html-3.3.3/lit-html.js";

export type Content = TemplateResult | TemplateResult[] | string | number | typeof nothing | null | undefined;

export type Kind =
  | "cloud" | "nodes" | "instances" | "templates" | "groups" | "distributions" | "saves"
  | "apiKeys" | "permissionGroups" | "macPools";

export interface CloudRow {
  id: "cloud"; version: string; namespace: string; nodeNamespace: string;
  registry?: { url?: string; status?: string; totalBytes?: number; freeBytes?: number };
  licenses?: string[]; averageQueueSeconds?: number;
  replicas?: { total: number; reached: number }; grafanaUrl?: string;
}

export interface Condition { type: string; status: string; reason?: string; message?: string; since?: string }

export interface NodeRow {
  id: string; name: string; uid?: string; created?: string; state?: string | null;
  draining?: boolean; leaving?: boolean; updating?: boolean; problem?: string;
  host?: string; ip?: string; arch?: string; groups: string[];
  capacityMode?: string; maxVms?: number; vcpuOverride?: number; ramOverrideGib?: number; reservePercent?: number;
  vcpus?: number; ramGib?: number;
  usage?: { vms?: number; vcpus?: number; ramMib?: number; cpuPercent?: number; ramPercent?: number };
  disk?: { sizeBytes?: number; freeBytes?: number; ankaBytes?: number };
  anka?: { version?: string; build?: string; license?: string; licenseStatus?: string; expires?: string };
  agentVersion?: string; wantedAgentVersion?: string;
  update?: { version?: string; failed?: boolean; message?: string };
  centralLogging?: boolean; heartbeatAt?: string; clockAheadSeconds?: number;
  conditions?: Condition[];
  templates?: { id: string; name?: string; tag?: string; sizeBytes?: number; lastUsed?: string }[];
  tasks?: { name: string; percent?: number; done?: boolean; message?: string }[];
  kept?: { template: string; tag?: string }[];
  usb?: { location?: string; name?: string; group?: string; available?: boolean }[];
  vlans?: string[];
  failures?: { count: number; last?: { at: string; reason?: string; message?: string; instance?: string } };
  requestedBy?: string;
}

export interface InstanceRow {
  id: string; name: string; namespace: string; uid?: string; displayName?: string; created: string;
  phase: string; legacyState?: string; reason?: string; message?: string; ready?: boolean;
  node?: string; requestedNode?: string; group?: string; permissionGroup?: string;
  template: { id?: string; name?: string; tag?: string; version?: number };
  arch?: string; priority?: number; queueKey?: (string | number)[];
  waitingSince?: string; deadline?: string; keptFree?: string; percent?: number;
  scheduledAt?: string; vmCreatedAt?: string; vmStartedAt?: string; startedAt?: string; finishedAt?: string;
  ip?: string; hostIp?: string; vncUrl?: string;
  ports?: { name?: string; guest?: number; host?: number; protocol?: string }[];
  macAddress?: string; vcpus?: number; ram?: string; externalId?: string; metadata?: Record<string, string>;
  usbDevice?: string; vlan?: string; requestedBy?: string; script?: { code?: number; timedOut?: boolean }; never?: boolean; managedBy?: string;
}

export interface TemplateRow {
  id: string; name: string; displayName?: string; arch?: string; sizeBytes?: number;
  lastPull?: string; lastPush?: string; latestTag?: string;
  versions?: {
    number: number; tag?: string; description?: string; sizeBytes?: number;
    lastPull?: string; lastPush?: string; created?: string;
  }[];
  nodes?: { node: string; tag?: string }[];
  rules?: { tag?: string; groups?: string[]; nodes?: string[] }[];
  reason?: string; message?: string;
}

export interface GroupRow {
  id: string; name: string; description?: string; fallback?: string; nodes?: number; activeNodes?: number;
  reason?: string;
}

export interface DistributionRow {
  id: string; name: string; created: string;
  template: { id?: string; name?: string; tag?: string; version?: number };
  action?: string; phase?: string;
  nodes?: { node: string; percent?: number; done?: boolean; message?: string }[];
  group?: string; finished?: number; waiting?: number; progress?: number; cancelled?: boolean;
  finishedAt?: string; requestedBy?: string;
}

export interface SaveRow {
  id: string; name: string; namespace?: string; created: string; instance?: string; phase?: string; node?: string;
  tag?: string; targetTemplate?: string; newTemplateName?: string; description?: string; error?: string;
  script?: { code?: number; timedOut?: boolean }; pushedAt?: string; requestedBy?: string;
}

export interface ApiKeyRow { id: string; groups?: string[]; created?: string; expires?: string }

export interface PermissionGroupRow {
  id: string; name: string; controller?: string[]; registry?: string[];
  resources?: { type: string; id: string; permissions: string[] }[]; namespace?: string;
}

export interface MacPoolRow {
  id: string; name: string; ranges?: string[]; free?: number; inUse?: number; reuseAfterSeconds?: number;
}

export interface Rows {
  cloud: CloudRow; nodes: NodeRow; instances: InstanceRow; templates: TemplateRow; groups: GroupRow;
  distributions: DistributionRow; saves: SaveRow; apiKeys: ApiKeyRow; permissionGroups: PermissionGroupRow;
  macPools: MacPoolRow;
}
export type Row = Rows[Kind];

export interface Features {
  apiKeys?: boolean; authorization?: boolean; macPools?: boolean; eventLog?: boolean; resourcePermissions?: boolean;
  oidc?: string | null; kubernetesTokens?: boolean;
}

export interface Session {
  user: string; login: "root" | "apiKey" | "oidc" | "kubernetes" | "certificate" | "none";
  authentication: boolean; rights: string[] | null; features?: Features; expires?: string | null;
}

/** What the server sends on the stream. */
export type Message =
  | { type: "hello"; version: string; replica?: string; time?: string; session: Session; kinds: Kind[];
      denied?: Partial<Record<Kind, string>> }
  | { type: "snapshot"; kind: Kind; version: string; rows: Row[] }
  | { type: "delta"; changes: Partial<Record<Kind, { version: string; upsert?: Row[]; remove?: string[] }>> }
  | { type: "ping"; time?: string; stale?: Partial<Record<Kind, number>> }
  | { type: "end"; reason: "session" | "slow" | "stopping" | "limit"; message?: string };

export type KindState = "loading" | "ready" | "stale" | "denied";
/** connecting: never yet; login: the session is over; off: on purpose (hidden tab). */
export type Live = "connecting" | "live" | "reconnecting" | "stale" | "login" | "off";

export interface Store {
  rows<K extends Kind>(kind: K): Rows[K][];
  get<K extends Kind>(kind: K, id: string | null | undefined): Rows[K] | undefined;
  state(kind: Kind): KindState;
  /** Rises with each change of the kind. */
  version(kind: Kind): number;
  /** Seconds since the kind was last known to be in step; 0 when it is. */
  staleSeconds(kind: Kind): number;
  /** The right that is lacking. */
  denied(kind: Kind): string | undefined;
}

export interface Route { view: string; path: string; params: Record<string, string>; query: Record<string, string> }

export type Can = { ok: true } | { ok: false; why: string };

export interface Api {
  call(method: string, path: string, body?: unknown, options?: { signal?: AbortSignal }): Promise<any>;
  curl(method: string, path: string, body?: unknown): string;
}

export interface TaskRow { id: string; label: string; state: "waiting" | "running" | "done" | "failed"; text: string }
export interface Task { id: number; title: string; started: number; rows: TaskRow[] }
export interface Tasks {
  list: Task[]; isOpen: boolean;
  run<R extends { id: string; label: string }>(task: {
    title: string; rows: R[]; each: (row: R) => Promise<string | void>;
  }): Promise<Task>;
  toggle(open?: boolean): void;
  clear(): void;
}

export interface Resource<T> { state: "loading" | "ready" | "failed" | "stale"; value?: T; error?: string }

export interface Context {
  route: Route; store: Store; session: Session | null; api: Api; tasks: Tasks;
  /** The server's time in ms; ticks each second. */
  now: number;
  live: Live;
  /** Lives as long as the route. Change it, then `update()`. */
  local: Record<string, any>;
  can(right: string | null | undefined): Can;
  setQuery(patch: Record<string, string | null | undefined>): void;
  go(hash: string): void;
  update(): void;
  /** A function that returns a dialog() or confirm(): drawn anew with each change. */
  open(dialog: (ctx: Context) => Content): void;
  close(): void;
  resource<T = any>(key: string, loader: (signal: AbortSignal) => Promise<T>, options?: { every?: number }): Resource<T>;
  /** Says a short text at the bottom, and to screen readers. */
  say(text: string): void;
}

export interface Key { title: string; run(ctx: Context): void }

export interface Same { kubectl?: string[]; curl?: string[] }

export interface View {
  name: string;
  /** `instances/:id` */
  path: string;
  title(ctx: Context): string;
  right?: string | null;
  render(ctx: Context): Content;
  same?(ctx: Context): Same;
  keys?: Record<string, Key>;
  /** g, then this letter. */
  letter?: string;
  nav?: { section: "Fleet" | "Work" | "Templates" | "Access" | "Cloud"; order: number; label?: string;
    icon?: string; badge?(ctx: Context): string | number | null };
  /** Old bookmarks and other names that lead here. */
  aliases?: string[];
  enter?(ctx: Context): void;
  leave?(ctx: Context): void;
}

export interface Column<R> {
  key: string; label: string;
  /** What it is sorted by; a column without is not sorted. */
  sort?(row: R): string | number | boolean | null | undefined;
  render(row: R): Content;
  width?: string; num?: boolean;
  /** The chooser cannot hide it. */
  always?: boolean;
  /** Hidden until it is chosen. */
  hidden?: boolean;
}

export interface TableOptions<R> {
  id: string; label: string; columns: Column<R>[]; rows: R[]; rowId(row: R): string; ctx: Context;
  selectable?: boolean; onOpen?(row: R): void;
  empty?: { title: string; hint?: Content };
  state?: KindState | Resource<any>["state"]; what?: string;
  rowClass?(row: R): string;
  /** `-created` */
  sort?: string;
  /** Buttons for the selected rows. */
  actions?(selected: R[]): Content;
}

export type Tone = "ok" | "busy" | "wait" | "warn" | "bad" | "off";
