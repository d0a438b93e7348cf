"""Could a reply to a similar question be used again? Likeness of questions that mean the same, and that do not.

    python bench/similar.py

Prints the cosine of each pair in the default embedding, and for each threshold how many pairs of the same meaning
and of another meaning `--similar` would take for one question. It is why that is off unless a threshold is given
(docs/runs.md).
"""

from crowquill.memory.embed import SentenceEmbedder

SAME = [
    ("What is the capital of France?", "What's the capital city of France?"),
    ("How long is the River Aske?", "What is the length of the River Aske?"),
    ("Who wrote the novel Emma?", "Which author wrote the novel Emma?"),
    ("When was the Danube bridge built?", "In which year was the Danube bridge built?"),
    ("List our ten best customers by revenue.", "Show the ten customers with the highest revenue."),
    ("Which countries border Austria?", "What countries share a border with Austria?"),
    ("How many employees does Acme have?", "What is the number of employees at Acme?"),
    ("Сколько километров в длину Дунай?", "Какова длина Дуная в километрах?"),
    ("Compare the height of Everest and K2.", "Which is higher, Everest or K2, and by how much?"),
    ("Summarize the paper on attention.", "Give a summary of the attention paper."),
    ("Which of our shops made a loss in May?", "Which of our shops lost money in May?"),
    ("Who is the head of state of Norway?", "Who is Norway's head of state?"),
]
OTHER = [
    ("Who wrote the film Emma?", "Who directed the film Emma?"),
    ("What is the capital of France?", "What is the population of France?"),
    ("Which customers bought something this year?", "Which customers bought nothing this year?"),
    ("Who was born earlier, Ann or Ben?", "Who was born later, Ann or Ben?"),
    ("What is the highest mountain in Peru?", "What is the lowest mountain in Peru?"),
    ("How long is the Danube?", "How wide is the Danube?"),
    ("When did the war begin?", "When did the war end?"),
    ("List our ten best customers by revenue.", "List our ten best customers by revenue this year."),
    ("What is the wettest month in Oslo?", "What is the driest month in Oslo?"),
    ("Is the lake deeper than the sea?", "Is the sea deeper than the lake?"),
    ("Who is the mother of the king?", "Who is the father of the king?"),
    ("Какова высота горы?", "Какова глубина озера?"),
]


def likeness(pairs: list[tuple[str, str]]) -> list[float]:
    """Return the cosine of each pair."""
    embedder = SentenceEmbedder()
    vectors = [embedder.embed(list(pair)) for pair in pairs]
    return [float(first @ second) for first, second in vectors]


def main() -> None:
    """Print the pairs and the thresholds."""
    same, other = likeness(SAME), likeness(OTHER)
    for label, pairs, found in (("same", SAME, same), ("other", OTHER, other)):
        for pair, cosine in sorted(zip(pairs, found, strict=True), key=lambda entry: -entry[1]):
            print(f"{label:<6}{cosine:.3f}  {pair[0]} | {pair[1]}")
    for threshold in (0.80, 0.85, 0.90, 0.95, 0.97, 0.99):
        right, wrong = (sum(cosine >= threshold for cosine in found) for found in (same, other))
        print(f"threshold {threshold:.2f}: {right} of {len(same)} rightly, {wrong} of {len(other)} wrongly")


if __name__ == "__main__":
    main()
