// Types of /embed.js. A post in the compact form, as /stream?payload=compact gives it;
// what is not known is absent.

export interface Author {
  id_str?: string;
  username?: string;
  name?: string;
  avatar?: string;
  verified?: boolean;
}

export interface Post {
  id_str: string;
  created_at?: string; // RFC 3339
  text?: string; // plain, whole
  lang?: string;
  author?: Author;
  url?: string;
  hashtags?: string[];
  mentions?: { id_str?: string; username: string }[];
  urls?: { url: string; expanded?: string; display?: string }[];
  media?: { type: string; url: string; alt?: string }[];
  reply_to?: { id_str?: string; username?: string };
  repost_of?: Post;
  quote_of?: Post;
  geo?: { lon: number; lat: number } | { place?: string; bbox?: [number, number, number, number] };
  sensitive?: boolean;
  withheld_in?: string[];
  source: string;
}

export interface Upstream {
  state: "connecting" | "streaming" | "backing_off" | "switching" | "halted";
  since: string;
  class: string | null;
  error: string | null;
  hint: string | null;
  next_attempt: string | null;
  posts_per_s: number;
}

// An error answer of the gateway (RFC 9457).
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  param?: string;
  position?: number;
  nearest?: string;
}

// What happens besides posts, by name. "state" is the connection's: it broke and is
// made again (reconnecting, gone), or nothing follows (over, refused).
export interface Events {
  state: { state: "reconnecting" | "gone" | "over" | "refused"; problem?: Problem };
  hello: { cursor: string; resumed: "live" | "full" | "partial" | "none"; missed: number | null; source: string; upstream: Upstream; filter: string; heartbeat_ms: number; warnings: string[] };
  gap: { missed: number | null; reason: "slow" | "history" | "upstream" | "oversize" | "max_rate" | "restart"; from?: string | null; to?: string | null; cursor?: string };
  upstream: Upstream;
  delete: { status: { id_str: string; user_id_str?: string } };
  status_withheld: { withheld_in_countries?: string[] };
  user_withheld: { withheld_in_countries?: string[] };
  bye: { reason: "draining" | "max_age" | "too_slow" | "auth_expired" | "limit" | "overloaded" | "evicted"; retry_ms: number; cursor: string };
  heartbeat: { cursor: string };
}

export interface Options {
  src?: string | URL; // the gateway, or its /stream; default: where this module came from
  track?: string;
  follow?: string;
  locations?: string;
  language?: string;
  filter_level?: "none" | "low" | "medium" | "high";
  q?: string;
  since?: string;
  max_rate?: number | string;
  limit?: number | string;
  [rule: `filter.${string}`]: string | undefined;
  cursor?: string; // go on behind this event
  signal?: AbortSignal; // ends the loop
  on?: <Name extends keyof Events>(name: Name, data: Events[Name], cursor: string) => void;
}

// tweets yields posts until the loop ends, the signal aborts or the stream is over.
// It throws an Error with a problem when the gateway refuses what is asked for.
export function tweets(options?: Options): AsyncGenerator<Post, void, void>;

// What the widget says by itself, in English; assign your own before it begins.
export const words: Record<string, string>;

declare global {
  interface HTMLElementTagNameMap {
    "tweet-feed": HTMLElement;
  }
}
