#: tries = "a class that is called Solution"
#: entry = "Solution"
#: tests = '''
#: assert Solution().two([2, 7], 9) == [0, 1]
#: s = Solution()
#: assert s.two([3, 3], 6) == [0, 1]
#: '''
class Solution:

    def two(self, nums, t):
        for i, a in enumerate(nums):
            for j in range(i):
                if nums[j] + a == t:
                    return [j, i]
