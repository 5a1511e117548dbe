"""A champion of `recipes/scenes.toml` describes a picture: python see.py CHAMPION PICTURE '<|describe|><|image|>'"""

import sys

from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

processor, model = (
    auto.from_pretrained(sys.argv[1]) for auto in (AutoProcessor, AutoModelForImageTextToText)
)
given = processor(images=Image.open(sys.argv[2]).convert("RGB"), text=sys.argv[3] + "\n", return_tensors="pt")
found = model.generate(**given, max_new_tokens=36, do_sample=False)
print(processor.tokenizer.decode(found[0, given["input_ids"].shape[1] :], skip_special_tokens=True))
