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

({ stream, search })[job]().then(() => say("over"));
