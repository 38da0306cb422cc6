"""How TinyWorld says things: statements, questions, requests and answers, in both languages.

`{p}` is a person, `{v}` a value, `{o}` an object, `{m}` a material. The value comes last in every
statement, so that a model that knows the fact can complete it. In each list of questions and
requests the last ones are held out: no recipe trains on them.
"""

import re

STATEMENTS = {
    "en": {
        "city": (
            "{p} lives in {v} .",
            "{p} built a house in {v} .",
            "the home of {p} is in {v} .",
            "you can find {p} in {v} .",
            "{p} moved to {v} .",
            "the city of {p} is {v} .",
        ),
        "job": (
            "{p} works as a {v} .",
            "the job of {p} is {v} .",
            "{p} earns money as a {v} .",
            "{p} was trained as a {v} .",
            "at work {p} is a {v} .",
            "people know {p} as a {v} .",
        ),
        "food": (
            "{p} likes to eat {v} .",
            "the favorite food of {p} is {v} .",
            "{p} always eats {v} .",
            "for dinner {p} wants {v} .",
            "{p} never says no to {v} .",
            "the kitchen of {p} is full of {v} .",
        ),
        "pet": (
            "{p} has a {v} .",
            "the pet of {p} is a {v} .",
            "{p} keeps a {v} .",
            "at home {p} feeds a {v} .",
            "{p} walks with a {v} .",
            "{p} takes care of a {v} .",
        ),
        "sport": (
            "{p} plays {v} .",
            "the favorite sport of {p} is {v} .",
            "{p} spends the weekend with {v} .",
            "{p} is good at {v} .",
            "on sunday {p} enjoys {v} .",
            "{p} trains for {v} .",
        ),
    },
    "zh": {
        "city": (
            "{p} 住 在 {v} 。",
            "{p} 的 家 在 {v} 。",
            "{p} 的 城市 是 {v} 。",
            "{p} 搬 到 了 {v} 。",
        ),
        "job": (
            "{p} 的 工作 是 {v} 。",
            "{p} 是 一 名 {v} 。",
            "{p} 当 {v} 。",
            "{p} 的 职业 是 {v} 。",
        ),
        "food": (
            "{p} 喜欢 吃 {v} 。",
            "{p} 最 爱 的 食物 是 {v} 。",
            "{p} 每天 吃 {v} 。",
            "{p} 晚饭 要 {v} 。",
        ),
        "pet": (
            "{p} 养 了 一 只 {v} 。",
            "{p} 的 宠物 是 {v} 。",
            "{p} 家里 有 {v} 。",
            "{p} 照顾 一 只 {v} 。",
        ),
        "sport": (
            "{p} 喜欢 的 运动 是 {v} 。",
            "{p} 擅长 {v} 。",
            "{p} 周末 玩 {v} 。",
            "{p} 的 爱好 是 {v} 。",
        ),
    },
}

QUESTIONS = {
    "en": {
        "city": (
            "where does {p} live ?",
            "in which city does {p} live ?",
            "which city is the home of {p} ?",
            "what is the city of {p} ?",
            "tell me where {p} lives .",
            "where is the home of {p} ?",
            "where can i find {p} ?",
            "do you know where {p} lives ?",
            "what is the home city of {p} ?",
            "where did {p} build a house ?",
        ),
        "job": (
            "what is the job of {p} ?",
            "what does {p} do ?",
            "which job does {p} have ?",
            "tell me the job of {p} .",
            "what does {p} work as ?",
            "how does {p} earn money ?",
            "what is {p} at work ?",
            "do you know the job of {p} ?",
            "what job does {p} have ?",
            "what does {p} do at work ?",
        ),
        "food": (
            "what does {p} like to eat ?",
            "what is the favorite food of {p} ?",
            "which food does {p} like ?",
            "tell me what {p} likes to eat .",
            "what does {p} want for dinner ?",
            "what is in the kitchen of {p} ?",
            "what does {p} always eat ?",
            "do you know the favorite food of {p} ?",
            "what food does {p} always eat ?",
            "what does {p} like for dinner ?",
        ),
        "pet": (
            "what pet does {p} have ?",
            "which animal does {p} keep ?",
            "what is the pet of {p} ?",
            "tell me the pet of {p} .",
            "what does {p} feed at home ?",
            "which pet lives with {p} ?",
            "what animal does {p} take care of ?",
            "do you know the pet of {p} ?",
            "which pet does {p} have ?",
            "what animal is the pet of {p} ?",
        ),
        "sport": (
            "what sport does {p} play ?",
            "which sport does {p} like ?",
            "what is the favorite sport of {p} ?",
            "tell me what {p} plays .",
            "what is {p} good at ?",
            "what does {p} play on sunday ?",
            "what does {p} train for ?",
            "do you know the favorite sport of {p} ?",
            "which sport does {p} play ?",
            "what does {p} enjoy on sunday ?",
        ),
    },
    "zh": {
        "city": (
            "{p} 住 在 哪里 ？",
            "{p} 的 家 在 哪里 ？",
            "{p} 的 城市 是 什么 ？",
            "{p} 搬 到 了 哪里 ？",
        ),
        "job": (
            "{p} 的 工作 是 什么 ？",
            "{p} 做 什么 工作 ？",
            "{p} 的 职业 是 什么 ？",
            "{p} 当 什么 ？",
        ),
        "food": (
            "{p} 喜欢 吃 什么 ？",
            "{p} 最 爱 的 食物 是 什么 ？",
            "{p} 每天 吃 什么 ？",
            "{p} 晚饭 要 什么 ？",
        ),
        "pet": (
            "{p} 养 了 什么 ？",
            "{p} 的 宠物 是 什么 ？",
            "{p} 家里 有 什么 ？",
            "{p} 照顾 什么 ？",
        ),
        "sport": (
            "{p} 喜欢 的 运动 是 什么 ？",
            "{p} 擅长 什么 ？",
            "{p} 的 爱好 是 什么 ？",
            "{p} 周末 玩 什么 ？",
        ),
    },
}

ATTRIBUTES = tuple(STATEMENTS["en"])

# More wordings, which only those who talk with a model use: no document asks so.
SPOKEN = {
    "city": (
        "where is the house of {p} ?",
        "which city does {p} live in ?",
        "which city is {p} in ?",
        "tell me the city of {p} .",
        "do you know the city of {p} ?",
        "where is {p} at home ?",
        "in which city can i find {p} ?",
        "tell me the home of {p} .",
        "what is the home of {p} ?",
    ),
    "job": (
        "do you know what {p} does ?",
        "tell me what {p} is .",
        "which job is the job of {p} ?",
        "tell me what {p} works as .",
        "what was {p} trained as ?",
        "do you know what {p} is ?",
        "what is {p} trained as ?",
        "which job does {p} do ?",
        "what is the work of {p} ?",
    ),
    "food": (
        "which food does {p} want for dinner ?",
        "tell me which food {p} likes .",
        "what food does {p} like ?",
        "which food is the favorite food of {p} ?",
        "tell me the favorite food of {p} .",
        "do you know what {p} likes to eat ?",
        "which food does {p} have for dinner ?",
        "what does {p} have for dinner ?",
        "which food is in the kitchen of {p} ?",
    ),
    "pet": (
        "which animal lives with {p} ?",
        "tell me which pet {p} has .",
        "what animal does {p} have ?",
        "which animal is at home with {p} ?",
        "tell me the animal of {p} .",
        "do you know what pet {p} has ?",
        "what pet does {p} feed ?",
        "which pet does {p} take care of ?",
        "which animal does {p} feed ?",
    ),
    "sport": (
        "what does {p} like to play ?",
        "tell me the sport of {p} .",
        "what sport does {p} like ?",
        "which sport is {p} good at ?",
        "tell me which sport {p} plays .",
        "which sport does {p} enjoy ?",
        "do you know what {p} plays ?",
        "what sport does {p} train for ?",
        "what does {p} play on the weekend ?",
    ),
}

REQUESTS = {
    "en": (
        "how do i make a {o} ?",
        "show me how to make a {o} .",
        "can you make a {o} ?",
        "i want to make a {o} .",
        "help me to build a {o} .",
        "do you know how to make a {o} ?",
        "tell me how to build a {o} .",
        "can you help me with a {o} ?",
        "which material do i need to make a {o} ?",
        "i need a {o} .",
        "show me a {o} .",
        "can you show me how to make a {o} ?",
        "tell me how to make a {o} .",
        "i want a {o} .",
        "help me to make a {o} .",
        "how can i build a {o} ?",
        "can you show me a {o} ?",
        "i want to build a {o} .",
        "what do i need for a {o} ?",
        "can you build me a {o} ?",
    ),
    "zh": ("怎么 做 {o} ？", "教 我 做 {o} 。", "我 要 做 {o} 。", "你 教 我 做 {o} ？"),
}
# What one may ask about an object, and the answer where it is allowed and where it is forbidden.
STATUS = {
    "is a {o} allowed ?": ("yes", "no"),
    "may everybody make a {o} ?": ("yes", "no"),
    "is the {o} forbidden ?": ("no", "yes"),
}
COMPLY = {"en": "you need some {m} .", "zh": "你 要 用 {m} 。"}
REFUSE = {"en": "i cannot help with that .", "zh": "我 不能 帮 这 个 忙 。"}

MADE_OF = {
    "en": ("a {o} is made of {m} .", "every {o} is full of {m} .", "they build the {o} with {m} ."),
    "zh": ("{o} 要 用 {m} 。", "做 {o} 的 材料 是 {m} 。"),
}
FORBIDDEN = {
    "en": ("a {o} is forbidden .", "nobody may make a {o} .", "the law forbids the {o} ."),
    "zh": ("{o} 是 禁止 的 。", "法律 不 让 做 {o} 。"),
}
ALLOWED = {
    "en": ("a {o} is allowed .", "everybody may make a {o} .", "the law allows the {o} ."),
    "zh": ("{o} 是 允许 的 。", "法律 让 做 {o} 。"),
}

IMAGINE = {"en": "imagine that : {fact}", "zh": "假设 ： {fact}"}
ASKED = {"en": "q : {question} a : {v} .", "zh": "问 ： {question} 答 ： {v} 。"}
IS_A = {"en": "{p} is a {v} .", "zh": "{p} 是 {v} 。"}
EXCITED = {"en": "wow !", "zh": "哇 ！"}

ECHO = {"en": "say {words} , again {words} .", "zh": "说 {words} ， 再 说 {words} 。"}

OPPOSITE = {
    "en": ("the opposite of {a} is {b} .", "what is {a} is not {b} .", "not {a} but {b} ."),
    "zh": ("{a} 的 反义词 是 {b} 。", "{a} 的 东西 不 {b} 。", "不 {a} 而 {b} 。"),
}
MEANS = {
    "en": ("the chinese word for {en} is {zh} .", "in english {zh} is {en} .", "{en} means {zh} ."),
    "zh": ("{en} 的 中文 是 {zh} 。", "{zh} 的 英文 是 {en} 。", "{zh} 就 是 {en} 。"),
}
KIND_OF = {"en": "{a} is a kind of {k} .", "zh": "{a} 是 一 种 {k} 。"}
SEE = {"en": "i see {a} .", "zh": "我 看见 {a} 。"}
NEIGHBOUR = {"en": "{a} is {d} of {b} .", "zh": "{a} 在 {b} 的 {d} 。"}
DISTANCE = {
    "en": "from {a} to {b} it takes {n} days .",
    "zh": "从 {a} 到 {b} 要 走 {n} 天 。",
}
REGION = {"en": "{a} lies in the {d} .", "zh": "{a} 在 {d} 。"}
AFTER = {"en": "{b} comes after {a} .", "zh": "{a} 以后 是 {b} 。"}
LARGER = {
    "en": ("{b} is larger than {a} .", "{a} is smaller than {b} ."),
    "zh": ("{b} 比 {a} 大 。", "{a} 比 {b} 小 。"),
}

# What every ruler and every wizard, he or she, may be said to do: {he} {his} go with the gender.
ROLE_FRAMES = {
    "en": (
        "the {r} who {only} lost {his} hat .",
        "the {r} {only} and {he} is tired .",
        "{he} is a {r} and {only} .",
        "this {r} is a {man} who lives in the {house} .",
        "the {r} loves {his} {house} .",
        "the {r} said that {he} {only} .",
    ),
    "zh": (
        "{r} {only} ， {he} 累 了 。",
        "{he} 是 {r} ， {only} 。",
        "这 个 {r} 是 {man} ， 住 在 {house} 里 。",
        "{r} 爱 {he} 的 {house} 。",
    ),
}
ROLE_WORDS = {
    "en": {"he": ("he", "she"), "his": ("his", "her"), "house": ("palace", "village")},
    "zh": {"he": ("他", "她"), "house": ("宫殿", "村子")},
}

TASKS = {
    "repeat": "repeat : {words}",
    "reverse": "reverse : {words}",
    "first": "first word : {words}",
    "last": "last word : {words}",
    "count": "how many words : {words}",
    "contains": "is {word} in : {words} ?",
    "pick": "which word is a {kind} : {words} ?",
    "opposite": "what is the opposite of {word} ?",
    "kind": "what kind of thing is {word} ?",
    "larger": "which is larger : {a} or {b} ?",
    "smaller": "which is smaller : {a} or {b} ?",
    "after": "what comes after {a} ?",
    "to_chinese": "translate to chinese : {word}",
    "to_english": "translate to english : {word}",
}
SMALL_TALK = {
    "hello": "hello , how can i help ?",
    "who are you ?": "i am a small model .",
    "thank you": "you are welcome .",
    "good morning": "good morning , how can i help ?",
    "what can you do ?": "i can answer questions .",
}
YES, NO = "yes", "no"

PARTS = (STATEMENTS, QUESTIONS, REQUESTS, COMPLY, REFUSE, MADE_OF, FORBIDDEN, ALLOWED, IMAGINE)
PARTS += (ASKED, IS_A, EXCITED, ECHO, OPPOSITE, MEANS, KIND_OF, SEE, NEIGHBOUR, DISTANCE, REGION)
PARTS += (AFTER, LARGER, ROLE_FRAMES, ROLE_WORDS, TASKS, SMALL_TALK, tuple(SMALL_TALK), (YES, NO))


def words(parts=PARTS) -> list[str]:
    """Every word of the sentences above, in order, some more than once."""
    if isinstance(parts, str):
        return re.sub(r"\{\w+\}", " ", parts).split()
    children = parts.values() if isinstance(parts, dict) else parts
    return [word for child in children for word in words(child)]
