#!/usr/bin/env python3
"""Makes fixtures/architectures: a tiny random model of every family that recscope loads, each with what
the Python original gives for it (golden.json). tests/it/architectures.rs holds recscope to these.

    python3 -m venv v && v/bin/pip install torch==2.15.0 transformers==5.24.0 tokenizers==0.23.3 \
        sentencepiece==0.2.3 protobuf
    v/bin/python scripts/goldens/tiny_models.py

Weights are drawn from a fixed seed and saved as f32; references are computed from them in f64, one
input at a time, without padding. Tokenizers come from the text below. The same versions give the same
files.
"""

import io
import json
import pathlib
import shutil
import sys
import tempfile

import sentencepiece
import tokenizers
import torch
import transformers
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoModel, AutoModelForSequenceClassification, PreTrainedTokenizerFast

PINNED = {"torch": "2.15.0", "transformers": "5.24.0", "tokenizers": "0.23.3"}
OUT = pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "architectures"
HIDDEN, HEADS, INNER, POSITIONS = 32, 4, 48, 48

CORPUS = """
running shoes for men waterproof hiking boots
women's trail running shoe lightweight breathable
wireless mouse with usb receiver and silent keys
mechanical keyboard, red switches, 87 keys!
cheap usb-c hub 7 in 1 for laptop
noise cancelling headphones over ear bluetooth 5.3
coffee machine with milk frother stainless steel
crème brûlée torch and café cups
the quick brown fox jumps over the lazy dog
query: passage: represent this sentence for searching
跑鞋 男 透气 轻便 登山靴 防水
女士 跑步 鞋子 夏季 新款 红色
无线 鼠标 静音 键盘 机械 耳机 蓝牙
咖啡 机 不锈钢 杯子 好 坏
为这个句子生成表示以用于检索相关文章
"""

PAIRS = [
    ("running shoes", "Men's Hiking Boots, waterproof"),
    ("跑鞋 男", "轻便透气跑步鞋 男士 running shoe"),
    ("usb-c hub", "🦀 café ＵＳＢ hub™ 7-in-1"),
    ("", "鞋"),
    (" ", "!"),
    ("unbelievably xyzzy 靴", "wireless mouse and keyboard " * 12),
    ("the " * 40, "boots"),
]
TEXTS = [text for _, text in PAIRS] + ["跑鞋 男", " ", "x"]


def words():
    """Words of the corpus, most frequent first, then by text: the library's own trainers for WordPiece
    and Unigram give another vocabulary on every run."""
    found = CORPUS.lower().split()
    return sorted(set(found), key=lambda word: (-found.count(word), word))


def characters():
    return sorted(set("".join(words())))


def word_piece(lowercase=True):
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + characters()
    pieces += [word for word in words() if word.isascii()]
    pieces += ["##" + letter for letter in characters() if letter.isalnum()] + ["##ing", "##er", "##s"]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(pieces[:5])
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.decoder = decoders.WordPiece()
    # AutoTokenizer lower-cases unless tokenizer_config.json says otherwise, whatever tokenizer.json says.
    return tokenizer, {**({} if lowercase else {"do_lower_case": False}), **bert_names()}


def byte_bpe(special):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=420, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS.strip().splitlines() * 4, trainer)
    return tokenizer


def roberta_bpe():
    tokenizer = byte_bpe(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return tokenizer, roberta_names()


def modern_bpe():
    tokenizer = byte_bpe(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.post_processor = template(tokenizer, "[CLS]", "[SEP]", "[CLS]:0 $A:0 [SEP]:0 $B:0 [SEP]:0")
    return tokenizer, bert_names()


def unigram(special, cls, sep, pair, normalizer):
    """Whole words cost least, their halves more, characters most."""
    pieces = [(name, 0.0) for name in special] + [("▁", -6.0)]
    for rank, word in enumerate(words()):
        cost = 3 + rank / 64
        pieces += [("▁" + word, -cost), ("▁" + word[: len(word) // 2 + 1], -cost - 2), (word[len(word) // 2 :], -cost - 3)]
    pieces += [(letter, -9.0 - i / 256) for i, letter in enumerate(characters())]
    pieces = list({piece: cost for piece, cost in reversed(pieces)}.items())[::-1]
    unknown = [name for name, _ in pieces].index("<unk>" if "<unk>" in special else "[UNK]")
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=unknown))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.add_special_tokens(special)
    tokenizer.post_processor = template(tokenizer, cls, sep, pair)
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer


def xlm_unigram(charsmap):
    steps = [normalizers.Precompiled(charsmap)] if charsmap else [normalizers.NFKC()]
    steps.append(normalizers.Replace(tokenizers.Regex(" {2,}"), " "))
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    pair = "<s> $A </s> </s> $B </s>"
    return unigram(special, "<s>", "</s>", pair, normalizers.Sequence(steps)), roberta_names()


def deberta_unigram():
    special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
    pair = "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1"
    return unigram(special, "[CLS]", "[SEP]", pair, normalizers.NFKC()), bert_names()


def template(tokenizer, cls, sep, pair):
    ids = [(name, tokenizer.token_to_id(name)) for name in (cls, sep)]
    return processors.TemplateProcessing(single=f"{cls} $A {sep}", pair=pair, special_tokens=ids)


def bert_names():
    return {f"{role}_token": f"[{role.upper()}]" for role in ["pad", "unk", "cls", "sep", "mask"]}


def roberta_names():
    return {
        "pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>",
        "bos_token": "<s>", "eos_token": "</s>", "mask_token": "<mask>",
    }


def nmt_nfkc():
    """The table of normalisations that every sentencepiece model of XLM-RoBERTa's kind carries."""
    with tempfile.TemporaryDirectory() as folder:
        text = pathlib.Path(folder) / "text"
        text.write_text(CORPUS * 4)
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            input=str(text), model_writer=model, vocab_size=200, hard_vocab_limit=False,
            normalization_rule_name="nmt_nfkc", minloglevel=2,
        )
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    return proto.normalizer_spec.precompiled_charsmap


def bert_sizes(**more):
    sizes = dict(
        hidden_size=HIDDEN, num_hidden_layers=2, num_attention_heads=HEADS, intermediate_size=INNER,
        max_position_embeddings=POSITIONS,
    )
    return {**sizes, **more}


def roberta_sizes(**more):
    return bert_sizes(max_position_embeddings=POSITIONS + 2, type_vocab_size=1, layer_norm_eps=1e-5, **more)


def labels(*names):
    return dict(id2label=dict(enumerate(names)), label2id={name: i for i, name in enumerate(names)})


def distil_sizes(**more):
    return dict(
        dim=HIDDEN, n_layers=2, n_heads=HEADS, hidden_dim=INNER, max_position_embeddings=POSITIONS, **more
    )


def modern_sizes(**more):
    return bert_sizes(
        num_hidden_layers=4, local_attention=8, max_position_embeddings=96, pad_token_id=0, cls_token_id=2,
        sep_token_id=3, bos_token_id=2, eos_token_id=3, **more,
    )


def folders(charsmap):
    """name -> (model_type, config, tokenizer, pooling, what else)"""
    word, chinese, bpe, modern = word_piece(), word_piece(lowercase=False), roberta_bpe(), modern_bpe()
    xlm, camembert, deberta = xlm_unigram(charsmap), xlm_unigram(None), deberta_unigram()
    esci = {"Exact": 1.0, "Substitute": 0.1, "Complement": 0.01, "Irrelevant": 0.0}
    bge = {"query": "为这个句子生成表示以用于检索相关文章：", "document": ""}
    e5 = {"query": "query: ", "passage": "passage: "}
    return {
        "bert-classifier": ("bert", bert_sizes(**labels("no", "yes")), word, None, {}),
        "bert-esci": ("bert", bert_sizes(**labels(*esci)), word, None, {"recscope_gains": esci}),
        "bert-bge-zh": ("bert", bert_sizes(), chinese, "cls", {"prompts": bge}),
        "distilbert-regression": (
            "distilbert", distil_sizes(**labels("LABEL_0"), problem_type="regression"), word, None, {},
        ),
        "distilbert-encoder": ("distilbert", distil_sizes(activation="relu"), word, "mean", {}),
        "roberta-sharded": ("roberta", roberta_sizes(**labels("bad", "fair", "好")), bpe, None, {"shards": "60KB"}),
        "xlm-roberta-reranker": ("xlm-roberta", roberta_sizes(**labels("LABEL_0")), camembert, None, {}),
        "xlm-roberta-e5": ("xlm-roberta", roberta_sizes(), xlm, "mean", {"prompts": e5, "normalise": True}),
        "camembert-encoder": ("camembert", roberta_sizes(), camembert, "mean", {}),
        "electra-classifier": ("electra", bert_sizes(embedding_size=16, **labels("no", "yes")), word, None, {}),
        "electra-encoder": ("electra", bert_sizes(embedding_size=HIDDEN), word, "cls", {}),
        "modernbert-classifier": (
            "modernbert", modern_sizes(classifier_pooling="mean", **labels("LABEL_0")), modern, None, {},
        ),
        "modernbert-encoder": ("modernbert", modern_sizes(), modern, "cls", {"normalise": True}),
        "deberta-v3-classifier": (
            "deberta-v2",
            bert_sizes(
                type_vocab_size=0, relative_attention=True, position_buckets=8, norm_rel_ebd="layer_norm",
                share_att_key=True, pos_att_type=["p2c", "c2p"], position_biased_input=False,
                max_relative_positions=-1, layer_norm_eps=1e-7, **labels("a", "b", "c"),
            ),
            deberta, None, {},
        ),
        "deberta-v2-encoder": (
            "deberta-v2",
            bert_sizes(
                type_vocab_size=2, relative_attention=True, pos_att_type=["c2p", "p2c"], share_att_key=False,
                position_biased_input=True, max_relative_positions=24, layer_norm_eps=1e-7,
            ),
            deberta, "mean", {},
        ),
    }


def build(name, model_type, sizes, tokenizer, pooling, more):
    folder = OUT / name
    folder.mkdir(parents=True)
    tokenizer, names = tokenizer
    pad = tokenizer.token_to_id(names["pad_token"])
    kind = transformers.CONFIG_MAPPING[model_type]
    config = kind(vocab_size=tokenizer.get_vocab_size(), **{"pad_token_id": pad, **sizes})
    torch.manual_seed(len(name) * 1000 + ord(name[0]))
    auto = AutoModel if pooling else AutoModelForSequenceClassification
    model = auto.from_config(config, attn_implementation="eager").eval()
    draw(model)
    model.save_pretrained(folder, **({"max_shard_size": more["shards"]} if "shards" in more else {}))
    if "recscope_gains" in more:
        write(folder / "config.json", {**read(folder / "config.json"), "recscope_gains": more["recscope_gains"]})
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    limit = POSITIONS if model_type != "modernbert" else 96
    write(folder / "tokenizer_config.json", {"model_max_length": limit, **names})
    if model_type == "roberta":
        tokenizer.model.save(str(folder))
    if pooling:
        sentence_transformer(folder, pooling, more)
    write(folder / "golden.json", golden(model.double(), tokenizer, names, model_type, limit, pooling, more))


@torch.no_grad()
def draw(model):
    for name, value in model.named_parameters():
        # Rounded, so that the files compress well in git.
        drawn = torch.randn_like(value) * 0.25
        if "norm" in name.lower() and name.endswith("weight") and value.dim() == 1:
            drawn += 1
        value.copy_((drawn * 1024).round() / 1024)


def sentence_transformer(folder, pooling, more):
    kinds = ["Transformer", "Pooling"] + (["Normalize"] if more.get("normalise") else [])
    modules = [
        {"idx": i, "name": str(i), "path": f"{i}_{kind}" if i else "", "type": f"sentence_transformers.models.{kind}"}
        for i, kind in enumerate(kinds)
    ]
    write(folder / "modules.json", modules)
    (folder / "1_Pooling").mkdir()
    flags = {"pooling_mode_cls_token": pooling == "cls", "pooling_mode_mean_tokens": pooling == "mean"}
    write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": HIDDEN, **flags})
    if "prompts" in more:
        write(folder / "config_sentence_transformers.json", {"prompts": more["prompts"], "default_prompt_name": None})


@torch.no_grad()
def golden(model, tokenizer, names, model_type, limit, pooling, more):
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)
    reads_types = model_type in ("bert", "electra", "deberta-v2") and model.config.type_vocab_size > 0

    def run(query, text):
        encoded = fast(query, text, truncation="longest_first", max_length=limit, return_token_type_ids=True)
        ids = encoded["input_ids"]
        types = encoded["token_type_ids"] if reads_types else [0] * len(ids)
        inputs = {"input_ids": torch.tensor([ids]), "attention_mask": torch.ones(1, len(ids), dtype=torch.long)}
        if reads_types:
            inputs["token_type_ids"] = torch.tensor([types])
        output = model(**inputs)
        if pooling:
            hidden = output.last_hidden_state[0]
            vector = hidden[0] if pooling == "cls" else hidden.mean(0)
            value = vector / vector.norm() if more.get("normalise") else vector
        else:
            value = output.logits[0]
        return ids, types, value

    def case(query, text):
        ids, types, value = run(query, text)
        numbers = [float(f"{v:.9g}") for v in value.tolist()]
        return {"query": query, "text": text, "ids": ids, "type_ids": types, "output": numbers}

    result = {"made_with": PINNED, "limit": limit}
    result["cases"] = [case(text, None) for text in TEXTS] if pooling else [case(*pair) for pair in PAIRS]
    if pooling:
        prompts = more.get("prompts", {})
        before = (prompts.get("query", ""), prompts.get("passage", prompts.get("document", "")))
        result["cosines"] = []
        for query, text in PAIRS[:3]:
            vectors = [run(prefix + side, None)[2] for prefix, side in zip(before, (query, text))]
            cosine = torch.nn.functional.cosine_similarity(*vectors, dim=0).item()
            result["cosines"].append({"query": query, "text": text, "cosine": cosine})
    if "recscope_gains" in more:
        gains = torch.tensor(list(more["recscope_gains"].values()), dtype=torch.double)
        result["scores"] = [(torch.softmax(run(*pair)[2], 0) * gains).sum().item() for pair in PAIRS]
    return result


def read(file):
    return json.loads(file.read_text())


def write(file, value):
    """One line per entry of a list, so that a difference can be read."""
    flat = lambda v: json.dumps(v, ensure_ascii=False)
    rows = lambda v: "[\n  " + ",\n  ".join(map(flat, v)) + "\n ]" if isinstance(v, list) else flat(v)
    if isinstance(value, dict):
        text = "{\n " + ",\n ".join(f"{flat(k)}: {rows(v)}" for k, v in value.items()) + "\n}"
    else:
        text = rows(value)
    file.write_text(text + "\n")
    file.chmod(0o644)


def main():
    found = {name: sys.modules[name].__version__.split("+")[0] for name in PINNED}
    if found != PINNED:
        sys.exit(f"made with {PINNED}; here are {found}")
    torch.set_num_threads(1)
    shutil.rmtree(OUT, ignore_errors=True)
    for name, made in folders(nmt_nfkc()).items():
        build(name, *made)
        for file in (OUT / name).rglob("*.safetensors"):
            file.chmod(0o644)
        print(name, sum(f.stat().st_size for f in (OUT / name).rglob("*") if f.is_file()) // 1024, "kB")


if __name__ == "__main__":
    main()
