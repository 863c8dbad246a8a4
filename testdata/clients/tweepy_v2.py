"""A program for X's API v2, written as tweepy's documentation has it.

Nothing in it knows of a gateway: see tweepy_v1.py. Its bearer token is the second
argument.
"""

import json
import sys

import tweepy
from tweepy import StreamRule


def say(what, **more):
    print(json.dumps({"what": what, **more}), flush=True)


class Listener(tweepy.StreamingClient):
    def on_connect(self):
        say("connected")

    def on_response(self, response):
        if response.data is None:
            return
        say(
            "post",
            id=str(response.data.id),
            text=response.data.text,
            author=str(response.data.author_id),
            at=response.data.created_at.isoformat(),
            users={str(user.id): user.username for user in response.includes.get("users", [])},
            verified=[user.verified for user in response.includes.get("users", [])],
            rules=[[rule.id, rule.tag] for rule in response.matching_rules],
        )
        if response.data.text.endswith("end"):
            self.disconnect()

    def on_errors(self, errors):
        say("errors", titles=[error["title"] for error in errors])

    def on_request_error(self, status_code):
        say("error", status=status_code)
        self.disconnect()

    def on_exception(self, exception):
        say("exception", error=repr(exception))


def stream(token):
    client = Listener(token)
    say("rules", count=len(client.get_rules().data or []))
    tried = client.add_rules(StreamRule("go", tag="g"), dry_run=True)
    say("tried", created=tried.meta["summary"]["created"])
    added = client.add_rules([StreamRule("go", tag="g"), StreamRule("rust"), StreamRule("go", tag="again")])
    say("added", rules=[[rule.id, rule.value] for rule in added.data], titles=[error["title"] for error in added.errors])
    extra = client.add_rules(StreamRule("python")).data[0]
    gone = client.delete_rules(extra.id)
    say("deleted", summary=gone.meta["summary"])
    say("rules", count=len(client.get_rules().data or []), values=[rule.value for rule in client.get_rules().data])
    client.filter(
        expansions=["author_id", "referenced_tweets.id"],
        tweet_fields=["created_at", "lang", "entities"],
        user_fields=["verified"],
    )


def search(token):
    client = tweepy.Client(token)
    pages = tweepy.Paginator(
        client.search_recent_tweets, "alpha", max_results=10, tweet_fields=["created_at", "public_metrics"], expansions="author_id"
    )
    for post in pages.flatten(limit=45):
        say("found", id=str(post.id), text=post.text, author=str(post.author_id))
    try:
        client.search_recent_tweets("alpha", max_results=5)
    except tweepy.BadRequest as error:
        say("refused", messages=error.api_messages)


class Everything(Listener):
    """Uses what the documentation shows beside on_response."""

    def on_tweet(self, tweet):
        say("tweet", text=tweet.text, verified=[tweet["lang"] == "en", tweet.edit_history_tweet_ids == [tweet.id]])

    def on_includes(self, includes):
        say("includes", values=sorted(includes))

    def on_matching_rules(self, matching_rules):
        say("matching", tags=[rule.tag for rule in matching_rules])

    def on_keep_alive(self):
        say("alive")

    def on_response(self, response):
        if response.data.text.endswith("end"):
            self.disconnect()


def more(token):
    client = Everything(token, wait_on_rate_limit=True, max_retries=3)
    rules = client.add_rules([StreamRule(value="go lang:en", tag="both words"), StreamRule(value="(rust OR zig) -is:retweet")]).data
    say("rules", values=[rule.value for rule in client.get_rules(ids=[rule.id for rule in rules]).data])
    refused = client.add_rules([StreamRule("((", tag="broken"), StreamRule("fine")])
    say("partial", values=[rule.value for rule in refused.data], titles=[error["title"] for error in refused.errors])
    say("deleted", summary=client.delete_rules(refused.data).meta["summary"])
    client.filter(tweet_fields="lang,edit_history_tweet_ids", expansions=["author_id"], user_fields=["created_at", "public_metrics"], backfill_minutes=1)

    reader = tweepy.Client(token, wait_on_rate_limit=True)
    for page in tweepy.Paginator(reader.search_recent_tweets, query="alpha", max_results=10, user_fields=["verified"], expansions=["author_id"], limit=3):
        say("page", count=len(page.data), values=[user.username for user in page.includes["users"]])
    say("waited", count=len(reader.search_recent_tweets("alpha", max_results=20, sort_order="recency").data))


{"stream": stream, "search": search, "more": more}[sys.argv[1]](sys.argv[2])
say("over")
