// A program for X's API v2, written as the documentation of twitter-api-v2 has it,
// but for its agent, which is how that library is led elsewhere: it connects to the
// address in GATEWAY whatever the host is called. NODE_EXTRA_CA_CERTS holds the
// gateway's certificate. It prints lines of JSON.
"use strict";

const https = require("node:https");
const { TwitterApi, ETwitterStreamEvent } = require("twitter-api-v2");

const say = (what, more) => console.log(JSON.stringify({ what, ...more }));

class Agent extends https.Agent {
	createConnection(options, done) {
		const [host, port] = process.env.GATEWAY.split(":");
		return super.createConnection({ ...options, host, port, servername: options.host }, done);
	}
}

const [, , job, token] = process.argv;
const { v2 } = new TwitterApi(token, { httpAgent: new Agent() });

async function stream() {
	say("rules", { count: (await v2.streamRules()).meta.result_count });
	const added = await v2.updateStreamRules({ add: [{ value: "go", tag: "g" }, { value: "rust" }, { value: "go" }] });
	say("added", { rules: added.data.map((rule) => [rule.id, rule.value]), titles: added.errors.map((error) => error.title) });
	const tried = await v2.updateStreamRules({ add: [{ value: "cat" }] }, { dry_run: true });
	say("tried", { created: tried.meta.summary.created });

	const posts = await v2.searchStream({ "tweet.fields": ["created_at", "referenced_tweets"], expansions: ["author_id"], "user.fields": ["verified"] });
	posts.on(ETwitterStreamEvent.DataKeepAlive, () => say("alive"));
	posts.on(ETwitterStreamEvent.Error, (error) => say("error", { type: error.type }));
	say("connected");
	for await (const post of posts) {
		say("post", {
			id: post.data.id, text: post.data.text, author: post.data.author_id, at: post.data.created_at,
			users: Object.fromEntries(post.includes.users.map((user) => [user.id, user.username])),
			verified: post.includes.users.map((user) => user.verified),
			rules: post.matching_rules.map((rule) => [rule.id, rule.tag]),
		});
		if (post.data.text.endsWith("end")) break;
	}
	posts.close();
	const gone = await v2.updateStreamRules({ delete: { ids: added.data.map((rule) => rule.id) } });
	say("deleted", { summary: gone.meta.summary });
}

async function search() {
	const pages = await v2.search("alpha", { max_results: 10, "tweet.fields": ["created_at"], expansions: ["author_id"] });
	say("limit", { remaining: pages.rateLimit.remaining });
	let n = 0;
	for await (const post of pages) {
		say("found", { id: post.id, text: post.text, author: pages.includes.author(post).username });
		if (++n === 45) break;
	}
	await v2.search("alpha", { max_results: 5 }).catch((error) => say("refused", { messages: [error.data.title] }));
}

// What the documentation shows besides: streams that are opened by hand and come back,
// rules by id, pages fetched by hand, and the stream of v1.1.
async function more() {
	const { data: rules } = await v2.updateStreamRules({ add: [{ value: "go lang:en", tag: "both words" }, { value: "(rust OR zig) -is:retweet" }] });
	say("rules", { values: (await v2.streamRules({ ids: rules.map((rule) => rule.id) })).data.map((rule) => rule.value) });
	const refused = await v2.updateStreamRules({ add: [{ value: "((" }, { value: "fine" }] });
	say("partial", { values: refused.data.map((rule) => rule.value), titles: refused.errors.map((error) => error.title) });
	say("deleted", { summary: (await v2.updateStreamRules({ delete: { ids: refused.data.map((rule) => rule.id) } })).meta.summary });

	const posts = v2.searchStream({ autoConnect: false, "tweet.fields": "lang", expansions: "author_id", "user.fields": "public_metrics" });
	const over = new Promise((done) => {
		posts.on(ETwitterStreamEvent.Data, (post) => {
			say("tweet", { text: post.data.text, verified: [post.data.lang === "en", post.includes.users[0].public_metrics.followers_count >= 0] });
			if (post.data.text.endsWith("end")) done();
		});
	});
	await posts.connect({ autoReconnect: true, autoReconnectRetries: 3 });
	say("connected");
	await over;
	posts.close();

	const pages = await v2.search({ query: "alpha", max_results: 10, "user.fields": ["verified"], expansions: ["author_id"] });
	while (pages.tweets.length < 30) await pages.fetchNext(10);
	say("page", { count: pages.tweets.length, values: pages.includes.users.map((user) => user.username) });
	const { meta } = await v2.get("tweets/search/recent", { query: "alpha", max_results: 20 });
	say("waited", { count: meta.result_count });

	const { v1 } = new TwitterApi({ appKey: "k", appSecret: "s", accessToken: "t", accessSecret: "a" }, { httpAgent: new Agent() });
	const old = await v1.filterStream({ track: "go" });
	say("connected");
	for await (const status of old) {
		say("status", { id: status.id_str, text: status.text, user: status.user.screen_name });
		if (status.text.endsWith("end")) break;
	}
	old.close();
}

({ stream, search, more })[job]().then(() => say("over"));
