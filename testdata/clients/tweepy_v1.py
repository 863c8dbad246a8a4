"""A program for Twitter's v1.1 API, written as tweepy's documentation has it.

Nothing in it knows of a gateway: HTTPS_PROXY leads api.twitter.com and
stream.twitter.com there, and REQUESTS_CA_BUNDLE holds its certificate. It prints
what it is told as lines of JSON and stops at a post that ends in "end".
"""

import json
import sys

import tweepy


def say(what, **more):
    print(json.dumps({"what": what, **more}), flush=True)


class Listener(tweepy.Stream):
    def on_connect(self):
        say("connected")

    def on_status(self, status):
        extended = getattr(status, "extended_tweet", {})
        say(
            "status",
            id=status.id_str,
            text=extended.get("full_text", status.text),
            user=status.user.screen_name,
            reply=status.in_reply_to_status_id_str or "",
            tags=[tag["text"] for tag in status.entities["hashtags"]],
            repost=hasattr(status, "retweeted_status"),
        )
        if status.text.endswith("end"):
            self.disconnect()

    def on_delete(self, status_id, user_id):
        say("delete", id=str(status_id))

    def on_limit(self, track):
        say("limit", track=track)

    def on_disconnect_message(self, message):
        say("disconnect", code=message["code"])
        self.disconnect()

    def on_request_error(self, status_code):
        say("error", status=status_code)
        self.disconnect()

    def on_exception(self, exception):
        say("exception", error=repr(exception))


keys = ("consumer key", "consumer secret", "access token", "access secret")


def stream(**how):
    Listener(*keys).filter(**how)


def search():
    api = tweepy.API(tweepy.OAuth1UserHandler(*keys))
    pages = tweepy.Cursor(api.search_tweets, q="alpha", count=10, tweet_mode="extended")
    for status in pages.items(45):
        say("found", id=status.id_str, text=status.full_text, user=status.user.screen_name)
    for status in api.search_tweets(q="alpha", count=3):
        say("short", text=status.text)
    try:
        api.search_tweets(q="")
    except tweepy.BadRequest as error:
        say("refused", code=error.api_codes[0])


if sys.argv[1] == "search":
    search()
elif sys.argv[1] == "sample":
    Listener(*keys).sample()
elif sys.argv[1] == "nothing":
    stream(track=[])
else:
    stream(track=sys.argv[2].split(","), languages=["en"], stall_warnings=True)
say("over")
